"""Second factors of operators, and the codes by which the first one sets himself up."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

from flow2api.domain.audit import AuditEntry
from flow2api.domain.second_factor import SecondFactor
from flow2api_lmdb.engine import Engine
from flow2api_lmdb.noting import note_audit
from flow2api_lmdb.schema import SECOND_FACTORS, SETUP_CODES, OfferedCode
from flow2api_lmdb.tables import Step

Change = Callable[[SecondFactor | None], SecondFactor | None]


class LmdbSecondFactors:
    """Second factors by the id of their operator."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def of_operator(self, operator_id: int) -> SecondFactor | None:
        return await self._engine.read(lambda step: step.get(SECOND_FACTORS, operator_id))

    async def begin(self, factor: SecondFactor) -> bool:
        return await self._changed(
            factor.operator_id, lambda former: factor if former is None or former.confirmed_at is None else None
        )

    async def confirm(self, factor: SecondFactor, audit: AuditEntry | None = None) -> bool:
        return await self._changed(
            factor.operator_id,
            lambda former: factor if former is not None and former.confirmed_at is None else None,
            audit,
        )

    async def take_step(self, operator_id: int, step: int) -> bool:
        def after(former: SecondFactor | None) -> SecondFactor | None:
            return replace(former, last_step=step) if former is not None and former.last_step < step else None

        return await self._changed(operator_id, after)

    async def take_recovery(self, operator_id: int, digest: bytes, audit: AuditEntry | None = None) -> bool:
        def after(former: SecondFactor | None) -> SecondFactor | None:
            if former is None or digest not in former.recovery:
                return None
            return replace(former, recovery=former.recovery - {digest})

        return await self._changed(operator_id, after, audit)

    async def replace_recovery(
        self, operator_id: int, digests: Collection[bytes], audit: AuditEntry | None = None
    ) -> bool:
        def after(former: SecondFactor | None) -> SecondFactor | None:
            if former is None or former.confirmed_at is None:
                return None
            return replace(former, recovery=frozenset(digests))

        return await self._changed(operator_id, after, audit)

    async def remove(self, operator_id: int, audit: AuditEntry | None = None) -> bool:
        def work(step: Step) -> bool:
            if not step.delete(SECOND_FACTORS, operator_id):
                return False
            note_audit(step, audit)
            return True

        return await self._engine.write(work)

    async def _changed(self, operator_id: int, change: Change, audit: AuditEntry | None = None) -> bool:
        """Write what becomes of the one that is there, in one step; None leaves all as it is."""

        def work(step: Step) -> bool:
            after = change(step.get(SECOND_FACTORS, operator_id))
            if after is None:
                return False
            step.put(SECOND_FACTORS, (operator_id,), after)
            note_audit(step, audit)
            return True

        return await self._engine.write(work)


class LmdbSetupCodes:
    """Setup codes by their digest."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add(self, digest: bytes, expires_at: datetime, now: datetime, audit: AuditEntry | None = None) -> None:
        def work(step: Step) -> None:
            for ended in [one for one in step.scan(SETUP_CODES) if one.expires_at <= now]:
                step.delete(SETUP_CODES, ended.digest)
            step.put(SETUP_CODES, (digest,), OfferedCode(digest, expires_at))
            note_audit(step, audit)

        await self._engine.write(work)

    async def is_good(self, digest: bytes, now: datetime) -> bool:
        offered = await self._engine.read(lambda step: step.get(SETUP_CODES, digest))
        return offered is not None and offered.expires_at > now

    async def clear(self) -> None:
        def work(step: Step) -> None:
            for one in list(step.scan(SETUP_CODES)):
                step.delete(SETUP_CODES, one.digest)

        await self._engine.write(work)
