"""A copy of the database, made while the server runs."""

from collections.abc import Sequence

from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import ConflictError
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.backups import Backup, BackupShelf
from flow2api.domain.ports.storage import Maintains, Storage
from flow2api.domain.ports.system import Clock


class BackUpDatabase:
    """Secrets stay encrypted in a copy, and media is not in it."""

    def __init__(self, storage: Storage, shelf: BackupShelf, clock: Clock) -> None:
        self._storage = storage
        self._shelf = shelf
        self._audit_log: AuditLog = storage.audit_log
        self._clock = clock
        self._is_busy = False

    @property
    def is_possible(self) -> bool:
        """Whether this storage can be copied from here; one that cannot looks after itself."""
        return isinstance(self._storage, Maintains)

    async def all(self) -> Sequence[Backup]:
        """The copies that there are, the newest first.

        Raises:
            StorageError: The folder cannot be read.
        """
        return await self._shelf.all()

    async def __call__(self, actor: Actor) -> Backup:
        """Make one; it is put down in the audit log before.

        Raises:
            ConflictError: The storage cannot be copied from here, or a copy is being made.
            StorageError: There is no room for it, or its folder cannot be used.
        """
        storage = self._storage
        if not isinstance(storage, Maintains):
            raise ConflictError("This database looks after itself; back it up with the tools that come with it.")
        if self._is_busy:
            raise ConflictError("A backup is being made; wait until it is there.")
        self._is_busy = True
        try:
            at = self._clock.now()
            file = await self._shelf.place(at)
            entry = AuditEntry(at=at, actor=actor, action=AuditAction.DATABASE_BACKED_UP, subject=file.name)
            await self._audit_log.note(entry)
            return Backup(file, at, await storage.back_up(file))
        finally:
            self._is_busy = False
