"""Who may do what, in memory: API keys, operators, their sessions, and what they have done."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime, timedelta

from flow2api.domain.api_key import ApiKey
from flow2api.domain.api_key import changed_fields as changed_key_fields
from flow2api.domain.audit import AuditEntry, AuditFilter
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError, NotKnownError
from flow2api.domain.operator import LAST_OWNER, Operator, Role, changed_fields, folded
from flow2api.domain.preferences import Preferences
from flow2api.domain.session import OperatorSession
from flow2api.domain.throttle import Tries
from flow2api.testing.fakes.tables import Tables


class FakeApiKeys:
    """API keys in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def all(self) -> Sequence[ApiKey]:
        return [key for _, key in sorted(self._tables.api_keys.items())]

    async def find(self, digest: bytes) -> ApiKey | None:
        return next((key for key in self._tables.api_keys.values() if key.digest == digest), None)

    async def add(self, key: ApiKey, audit: AuditEntry | None = None) -> ApiKey:
        self._tables.writing(audit)
        self._refuse_conflict(key)
        key = dataclasses.replace(key, id=self._tables.new_id("api_key"))
        self._tables.api_keys[key.id] = key
        self._tables.note("api_key", key.id)
        self._tables.note_audit(audit, key.id)
        return key

    async def save(self, key: ApiKey, audit: AuditEntry | None = None, *, former: ApiKey | None = None) -> None:
        now = self._tables.api_keys.get(key.id)
        if former is not None and now is not None and (fields := changed_key_fields(former, now)):
            self._tables.writing()
            raise ChangedMeanwhileError(fields)
        self._tables.writing(audit)
        if now is not None:
            self._refuse_conflict(key)
            self._tables.api_keys[key.id] = key
            self._tables.note("api_key", key.id)
            self._tables.note_audit(audit)

    async def replace(
        self, key: ApiKey, successor: ApiKey, audits: Sequence[AuditEntry] = (), *, former: ApiKey
    ) -> ApiKey:
        now = self._tables.api_keys.get(key.id)
        self._tables.writing(*audits[:1])
        if now is None:
            raise NotKnownError(f"There is no key with the id {key.id}.")
        if fields := changed_key_fields(former, now):
            raise ChangedMeanwhileError(fields)
        self._refuse_conflict(key)
        self._refuse_conflict(successor, instead=key)
        successor = dataclasses.replace(successor, id=self._tables.new_id("api_key"))
        for one in (key, successor):
            self._tables.api_keys[one.id] = one
            self._tables.note("api_key", one.id)
        for entry in audits:
            self._tables.note_audit(entry, successor.id)
        return successor

    def _refuse_conflict(self, key: ApiKey, instead: ApiKey | None = None) -> None:
        known = self._tables.api_keys | ({} if instead is None else {instead.id: instead})
        others = [other for other in known.values() if other.id != key.id]
        if key.is_active and any(other.is_active and other.name == key.name for other in others):
            raise ConflictError(f"An active key named {key.name!r} exists already. Choose another name or revoke it.")
        if any(other.digest == key.digest for other in others):
            raise ConflictError("This key exists already.")


class FakeOperators:
    """Operators in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def all(self) -> Sequence[Operator]:
        return [operator for _, operator in sorted(self._tables.operators.items())]

    async def get(self, operator_id: int) -> Operator | None:
        return self._tables.operators.get(operator_id)

    async def find(self, name: str) -> Operator | None:
        return next((one for one in self._tables.operators.values() if folded(one.name) == folded(name)), None)

    async def add(self, operator: Operator, audit: AuditEntry | None = None) -> Operator:
        self._tables.writing(audit)
        self._refuse_conflict(operator)
        operator = dataclasses.replace(operator, id=self._tables.new_id("operator"))
        self._tables.operators[operator.id] = operator
        self._tables.note("operator", operator.id)
        self._tables.note_audit(audit, operator.id)
        return operator

    async def add_first(self, operator: Operator, audit: AuditEntry | None = None) -> Operator:
        if self._tables.operators:
            self._tables.writing()
            raise ConflictError("There is an operator already; this would not be the first one.")
        return await self.add(operator, audit)

    async def save(
        self, operator: Operator, audit: AuditEntry | None = None, *, former: Operator | None = None
    ) -> None:
        now = self._tables.operators.get(operator.id)
        if former is not None and now is not None and (fields := changed_fields(former, now)):
            self._tables.writing()
            raise ChangedMeanwhileError(fields)
        self._tables.writing(audit)
        self._refuse_conflict(operator)
        if operator.role is not Role.OWNER:
            self._refuse_last_owner(operator.id)
        if now is not None:
            self._tables.operators[operator.id] = dataclasses.replace(operator, preferences=now.preferences)
            self._tables.note("operator", operator.id)
            self._tables.note_audit(audit)

    async def prefer(self, operator_id: int, preferences: Preferences, audit: AuditEntry | None = None) -> None:
        self._tables.writing(audit)
        former = self._tables.operators.get(operator_id)
        if former is not None:
            self._tables.operators[operator_id] = dataclasses.replace(former, preferences=preferences)
            self._tables.note("operator", operator_id)
            self._tables.note_audit(audit)

    async def remove(self, operator_id: int, audit: AuditEntry | None = None) -> None:
        self._tables.writing(audit)
        self._refuse_last_owner(operator_id)
        if self._tables.operators.pop(operator_id, None) is None:
            return
        sessions = self._tables.sessions
        for digest in [digest for digest, one in sessions.items() if one.operator_id == operator_id]:
            del sessions[digest]
        self._tables.second_factors.pop(operator_id, None)
        self._tables.note("operator", operator_id)
        self._tables.note_audit(audit)

    def _refuse_last_owner(self, operator_id: int) -> None:
        if [one.id for one in self._tables.operators.values() if one.role is Role.OWNER] == [operator_id]:
            raise ConflictError(LAST_OWNER)

    def _refuse_conflict(self, operator: Operator) -> None:
        others = [other for other in self._tables.operators.values() if other.id != operator.id]
        if any(folded(other.name) == folded(operator.name) for other in others):
            raise ConflictError(f"An operator named {operator.name!r} exists already. Choose another name.")


class FakeSessions:
    """Sessions in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, session: OperatorSession, audit: AuditEntry | None = None) -> None:
        self._tables.writing(audit)
        self._tables.sessions[session.digest] = session
        self._tables.note_audit(audit)

    async def find(self, digest: bytes) -> OperatorSession | None:
        return self._tables.sessions.get(digest)

    async def of_operator(self, operator_id: int) -> Sequence[OperatorSession]:
        mine = [session for session in self._tables.sessions.values() if session.operator_id == operator_id]
        return sorted(mine, key=lambda session: (session.created_at, session.id), reverse=True)

    async def saw(self, digest: bytes, at: datetime) -> None:
        self._tables.writing()
        session = self._tables.sessions.get(digest)
        if session is not None and session.seen_at < at:
            self._tables.sessions[digest] = dataclasses.replace(session, seen_at=at)

    async def restamp(self, digest: bytes, stamp: str) -> None:
        self._tables.writing()
        if digest in self._tables.sessions:
            self._tables.sessions[digest] = dataclasses.replace(self._tables.sessions[digest], stamp=stamp)

    async def remove(self, digest: bytes, audit: AuditEntry | None = None) -> bool:
        self._tables.writing(audit)
        if self._tables.sessions.pop(digest, None) is None:
            return False
        self._tables.note_audit(audit)
        return True

    async def remove_others(self, operator_id: int, but: bytes, audit: AuditEntry | None = None) -> int:
        self._tables.writing(audit)
        sessions = self._tables.sessions
        others = [digest for digest, one in sessions.items() if one.operator_id == operator_id and digest != but]
        for digest in others:
            del sessions[digest]
        if others:
            self._tables.note_audit(audit)
        return len(others)


class FakeSignInTries:
    """Tries to sign in, in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def begin(self, subjects: Sequence[bytes], now: datetime) -> timedelta:
        self._tables.writing()
        known = {subject: self._tables.tries.get(subject, Tries()) for subject in subjects}
        pause = max((tries.pause_left(now) for tries in known.values()), default=timedelta(0))
        if not pause:
            self._tables.tries.update({subject: tries.one_more(now) for subject, tries in known.items()})
        return pause

    async def forget(self, subjects: Sequence[bytes]) -> None:
        self._tables.writing()
        for subject in subjects:
            self._tables.tries.pop(subject, None)


class FakeAuditLog:
    """The audit log in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def note(self, entry: AuditEntry) -> None:
        self._tables.writing(entry)
        self._tables.note_audit(entry)

    async def page(self, *, before: int | None, limit: int, wanted: AuditFilter | None = None) -> Sequence[AuditEntry]:
        older = [
            entry
            for entry in self._tables.audit
            if (before is None or entry.number < before) and (wanted is None or _passes(entry, wanted))
        ]
        return older[::-1][:limit]


def _passes(entry: AuditEntry, wanted: AuditFilter) -> bool:
    return (
        entry.action.startswith(wanted.action or "")
        and wanted.actor in (None, entry.actor.name)
        and (wanted.subject in (None, entry.subject) or entry.thing in wanted.named)
        and (wanted.since is None or entry.at >= wanted.since)
        and (wanted.until is None or entry.at < wanted.until)
    )
