"""Forgets the request log when an operator says so."""

from datetime import datetime

from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.request_log import RequestLog
from flow2api.domain.ports.system import Clock

_STEP = 500
_BREATH_S = 0.02


class ClearRequestLog:
    """Works in small steps, so that what is written meanwhile need not wait. Figures stay."""

    def __init__(self, request_log: RequestLog, audit_log: AuditLog, clock: Clock) -> None:
        self._request_log = request_log
        self._audit_log = audit_log
        self._clock = clock

    async def __call__(self, before: datetime, actor: Actor) -> int:
        """Forget all lines from before this moment, once it is put down that somebody wants it.

        Returns:
            How many have gone.

        Raises:
            StorageError: It could not be put down, and nothing was forgotten; or the rest is still there.
        """
        entry = AuditEntry(
            at=self._clock.now(),
            actor=actor,
            action=AuditAction.REQUEST_LOG_CLEARED,
            details={"before": before.isoformat()},
        )
        await self._audit_log.note(entry)
        gone = 0
        while (step := await self._request_log.forget(before, _STEP)) == _STEP:
            gone += step
            await self._clock.sleep(_BREATH_S)
        return gone + step
