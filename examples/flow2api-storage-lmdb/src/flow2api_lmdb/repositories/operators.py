"""Operators, their sessions, tries to sign in, and what they did."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from flow2api.domain.audit import AuditEntry, AuditFilter
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError
from flow2api.domain.operator import LAST_OWNER, Operator, Role, changed_fields, folded
from flow2api.domain.preferences import Preferences
from flow2api.domain.session import OperatorSession
from flow2api.domain.throttle import Tries
from flow2api_lmdb.engine import Engine
from flow2api_lmdb.noting import OPERATOR, note_audit, note_changes
from flow2api_lmdb.schema import AUDIT_LOG, OPERATORS, SECOND_FACTORS, SESSIONS, SIGN_IN_TRIES, TriedSubject
from flow2api_lmdb.slices import first
from flow2api_lmdb.tables import Step


class LmdbOperators:
    """Operators by id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def all(self) -> Sequence[Operator]:
        return await self._engine.read(lambda step: list(step.scan(OPERATORS)))

    async def get(self, operator_id: int) -> Operator | None:
        return await self._engine.read(lambda step: step.get(OPERATORS, operator_id))

    async def find(self, name: str) -> Operator | None:
        found = await self._engine.read(lambda step: first(1, step.by(OPERATORS, "name", folded(name))))
        return found[0] if found else None

    async def add(self, operator: Operator, audit: AuditEntry | None = None) -> Operator:
        return await self._engine.write(lambda step: _added(step, operator, audit))

    async def add_first(self, operator: Operator, audit: AuditEntry | None = None) -> Operator:
        def work(step: Step) -> Operator:
            if first(1, step.scan(OPERATORS)):
                raise ConflictError("There is an operator already; this would not be the first one.")
            return _added(step, operator, audit)

        return await self._engine.write(work)

    async def save(
        self, operator: Operator, audit: AuditEntry | None = None, *, former: Operator | None = None
    ) -> None:
        def work(step: Step) -> None:
            now = step.get(OPERATORS, operator.id)
            if now is None:
                return
            if former is not None and (fields := changed_fields(former, now)):
                raise ChangedMeanwhileError(fields)
            if operator.role is not Role.OWNER:
                _refuse_last_owner(step, operator.id)
            step.put(OPERATORS, (operator.id,), replace(operator, preferences=now.preferences))
            note_changes(step, OPERATOR, [operator.id])
            note_audit(step, audit)

        await self._engine.write(work)

    async def prefer(self, operator_id: int, preferences: Preferences, audit: AuditEntry | None = None) -> None:
        def work(step: Step) -> None:
            former = step.get(OPERATORS, operator_id)
            if former is not None:
                step.put(OPERATORS, (operator_id,), replace(former, preferences=preferences))
                note_changes(step, OPERATOR, [operator_id])
                note_audit(step, audit)

        await self._engine.write(work)

    async def remove(self, operator_id: int, audit: AuditEntry | None = None) -> None:
        def work(step: Step) -> None:
            _refuse_last_owner(step, operator_id)
            if not step.delete(OPERATORS, operator_id):
                return
            for session in list(step.by(SESSIONS, "operator", operator_id)):
                step.delete(SESSIONS, session.digest)
            step.delete(SECOND_FACTORS, operator_id)
            note_changes(step, OPERATOR, [operator_id])
            note_audit(step, audit)

        await self._engine.write(work)


class LmdbSessions:
    """Sessions by the digest of their token."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add(self, session: OperatorSession, audit: AuditEntry | None = None) -> None:
        def work(step: Step) -> None:
            step.put(SESSIONS, (session.digest,), session)
            note_audit(step, audit)

        await self._engine.write(work)

    async def find(self, digest: bytes) -> OperatorSession | None:
        return await self._engine.read(lambda step: step.get(SESSIONS, digest))

    async def of_operator(self, operator_id: int) -> Sequence[OperatorSession]:
        return await self._engine.read(lambda step: list(step.by(SESSIONS, "operator", operator_id, backwards=True)))

    async def saw(self, digest: bytes, at: datetime) -> None:
        def work(step: Step) -> None:
            session = step.get(SESSIONS, digest)
            if session is not None and session.seen_at < at:
                step.put(SESSIONS, (digest,), replace(session, seen_at=at))

        await self._engine.write(work)

    async def restamp(self, digest: bytes, stamp: str) -> None:
        def work(step: Step) -> None:
            session = step.get(SESSIONS, digest)
            if session is not None:
                step.put(SESSIONS, (digest,), replace(session, stamp=stamp))

        await self._engine.write(work)

    async def remove(self, digest: bytes, audit: AuditEntry | None = None) -> bool:
        def work(step: Step) -> bool:
            if not step.delete(SESSIONS, digest):
                return False
            note_audit(step, audit)
            return True

        return await self._engine.write(work)

    async def remove_others(self, operator_id: int, but: bytes, audit: AuditEntry | None = None) -> int:
        def work(step: Step) -> int:
            others = [one.digest for one in step.by(SESSIONS, "operator", operator_id) if one.digest != but]
            for digest in others:
                step.delete(SESSIONS, digest)
            if others:
                note_audit(step, audit)
            return len(others)

        return await self._engine.write(work)


class LmdbSignInTries:
    """Tries by subject. A try is asked for and counted in one step, so that none slips through."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def begin(self, subjects: Sequence[bytes], now: datetime) -> timedelta:
        def work(step: Step) -> timedelta:
            kept = {subject: step.get(SIGN_IN_TRIES, subject) for subject in subjects}
            known = {subject: Tries() if one is None else one.tries for subject, one in kept.items()}
            pause = max((tries.pause_left(now) for tries in known.values()), default=timedelta(0))
            if not pause:
                for subject, tries in known.items():
                    step.put(SIGN_IN_TRIES, (subject,), TriedSubject(subject, tries.one_more(now)))
            return pause

        return await self._engine.write(work)

    async def forget(self, subjects: Sequence[bytes]) -> None:
        def work(step: Step) -> None:
            for subject in subjects:
                step.delete(SIGN_IN_TRIES, subject)

        await self._engine.write(work)


class LmdbAuditLog:
    """Entries by their number; nothing here changes or removes one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def note(self, entry: AuditEntry) -> None:
        await self._engine.write(lambda step: note_audit(step, entry))

    async def page(self, *, before: int | None, limit: int, wanted: AuditFilter | None = None) -> Sequence[AuditEntry]:
        end = None if before is None else (before,)

        def work(step: Step) -> Sequence[AuditEntry]:
            entries = step.scan(AUDIT_LOG, before=end, backwards=True)
            return first(limit, (one for one in entries if wanted is None or _passes(one, wanted)))

        return await self._engine.read(work)


def _added(step: Step, operator: Operator, audit: AuditEntry | None) -> Operator:
    added = replace(operator, id=step.new_number("operator"))
    step.put(OPERATORS, (added.id,), added)
    note_changes(step, OPERATOR, [added.id])
    note_audit(step, audit, added.id)
    return added


def _refuse_last_owner(step: Step, operator_id: int) -> None:
    if [one.id for one in step.scan(OPERATORS) if one.role is Role.OWNER] == [operator_id]:
        raise ConflictError(LAST_OWNER)


def _passes(entry: AuditEntry, wanted: AuditFilter) -> bool:
    return (
        entry.action.startswith(wanted.action or "")
        and wanted.actor in (None, entry.actor.name)
        and (wanted.subject in (None, entry.subject) or entry.thing in wanted.named)
        and (wanted.since is None or entry.at >= wanted.since)
        and (wanted.until is None or entry.at < wanted.until)
    )
