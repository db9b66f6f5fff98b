"""Takes accounts away, and keeps them for a day so that a slip of the hand can be undone."""

import logging
from collections.abc import Sequence

from flow2api.domain.account import Account, fold_email
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import AccountNotFoundError, ConflictError, StorageError
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.storage import Accounts, AccountTrash, CredentialVault, KeepsDeleted
from flow2api.domain.ports.system import Clock
from flow2api.domain.trash import KEPT_FOR, DeletedAccount, taken_by
from flow2api.domain.usecases.find_owners import find_owners

log = logging.getLogger(__name__)

LOOK_EVERY_S = 600.0

_PART = 500
_LONGEST_NAME = 254


def trash_of(storage: object) -> AccountTrash | None:
    """Where a storage keeps deleted accounts; None when it keeps none."""
    return storage.trash if isinstance(storage, KeepsDeleted) else None


async def take_away(
    accounts: Accounts, trash: AccountTrash | None, account_id: int, who: str, clock: Clock, entry: AuditEntry | None
) -> None:
    """Delete an account; it is kept for a while where there is a place for it.

    Args:
        trash: None when the storage keeps nothing that was deleted.
    """
    if trash is None:
        await accounts.remove(account_id, entry)
    else:
        await trash.put(account_id, who, clock.now(), entry)


class RestoreAccounts:
    """Shows deleted accounts and brings them back, until `KEPT_FOR` is over.

    Args:
        pool: Where an account is at work as soon as it is back; None where nothing works.
        trash: None when the storage keeps nothing that was deleted.
    """

    def __init__(
        self,
        pool: AccountPool | None,
        accounts: Accounts,
        vault: CredentialVault,
        trash: AccountTrash | None,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._accounts = accounts
        self._vault = vault
        self._trash = trash
        self._clock = clock
        self._count = 0

    @property
    def keeps_deleted(self) -> bool:
        """Whether deleted accounts can be brought back at all."""
        return self._trash is not None

    async def page(self, *, before: int | None = None, limit: int) -> Sequence[DeletedAccount]:
        """Those that can be brought back, the greatest ids first, of those with lesser ids than ``before``."""
        shown: list[DeletedAccount] = []
        while self._trash is not None and len(shown) < limit:
            found = await self._trash.page(before=before, limit=limit)
            shown += [one for one in found if one.gone_at > self._clock.now()]
            if len(found) < limit:
                break
            before = found[-1].account.id
        return shown[:limit]

    async def all(self) -> Sequence[DeletedAccount]:
        """All that can be brought back, the greatest ids first."""
        found: list[DeletedAccount] = []
        while part := await self.page(before=found[-1].account.id if found else None, limit=_PART):
            found += part
        return found

    async def find(self, which: str) -> DeletedAccount:
        """The one with this id, else the only one with this e-mail address or name.

        Raises:
            ConflictError: There is none, or more than one.
        """
        every, email = await self.all(), fold_email(which)
        found = [one for one in every if which == str(one.account.id)] or [
            one
            for one in every
            if which == one.account.name or (one.account.email is not None and email == one.account.email)
        ]
        if len(found) != 1:
            many = "More than one deleted account is called" if found else "There is no deleted account"
            raise ConflictError(
                f"{many} {which[:_LONGEST_NAME]!r}; `flow2api accounts deleted` shows them with their ids."
            )
        return found[0]

    async def count(self) -> int:
        """How many there are; some of them may have to go within minutes."""
        self._count = 0 if self._trash is None else await self._trash.count()
        return self._count

    @property
    def last_count(self) -> int:
        """How many there were when somebody last asked, for what is shown again every second."""
        return self._count

    async def __call__(self, account_id: int, actor: Actor) -> Account:
        """Bring an account back as it was; it is at work at once.

        Raises:
            AccountNotFoundError: It is not kept (any more).
            ConflictError: Another account has its address or its session token meanwhile.
        """
        kept = None if self._trash is None else await self._trash.read(account_id)
        if self._trash is None or kept is None or kept[0].gone_at <= self._clock.now():
            raise AccountNotFoundError(account_id)
        deleted, credentials = kept
        same = await self._accounts.with_emails([deleted.account.email] if deleted.account.email else [])
        owners = await find_owners(self._vault, self._accounts, [credentials.session_token], deleted.account.place)
        taken = [one.id for one in same if one.place == deleted.account.place] + list(owners.values())
        if taken:
            raise taken_by(taken[0])
        entry = AuditEntry(
            at=self._clock.now(),
            actor=actor,
            action=AuditAction.ACCOUNT_RESTORED,
            subject=str(account_id),
            details={"email": deleted.account.email},
        )
        restored = await self._trash.restore(account_id, entry)
        if restored is None:
            raise AccountNotFoundError(account_id)
        if self._pool is not None:
            self._pool.put(restored)
        return restored

    async def look(self) -> None:
        """Forget for good what was deleted too long ago; a database that refuses is asked again the next time."""
        if self._trash is None:
            return
        try:
            await self._trash.forget(self._clock.now() - KEPT_FOR)
        except StorageError:
            log.warning("deleted accounts are kept for another while", exc_info=True)

    async def run(self) -> None:
        """Look every few minutes, for ever."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_EVERY_S)
