"""An operator has the server take nothing new, so that it can be stopped without a loss; or has it go on."""

from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.generation import State
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.work import Work


class DrainServer:
    """Concerns this process alone; what it has begun comes to its end."""

    def __init__(self, work: Work, audit_log: AuditLog, clock: Clock) -> None:
        self._work = work
        self._audit_log = audit_log
        self._clock = clock

    @property
    def is_on(self) -> bool:
        """Whether nothing new is taken because an operator wants that."""
        return self._work.is_held

    def left(self, kind: MediaKind | None = None) -> int:
        """How many generations are still under way here, of this kind or of any."""
        return sum(not job.is_over and kind in (None, job.spec.kind) for job in self._work.jobs)

    def waiting(self) -> int:
        """How many of them wait for an account."""
        return sum(job.generation.state is State.QUEUED for job in self._work.jobs)

    async def begin(self, actor: Actor) -> None:
        """Take nothing new from now on.

        Raises:
            StorageError: The audit log does not take it; nothing was changed.
        """
        await self._note(AuditAction.SERVER_DRAINED, actor)
        self._work.is_held = True

    async def end(self, actor: Actor) -> None:
        """Take new work again, unless the server is being stopped.

        Raises:
            StorageError: The audit log does not take it; nothing was changed.
        """
        await self._note(AuditAction.SERVER_REOPENED, actor)
        self._work.is_held = False

    async def _note(self, action: AuditAction, actor: Actor) -> None:
        details = {"under_way": self.left()}
        await self._audit_log.note(AuditEntry(at=self._clock.now(), actor=actor, action=action, details=details))
