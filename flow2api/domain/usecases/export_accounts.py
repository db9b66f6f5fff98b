"""Gives away accounts with their secrets, a part at a time."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from flow2api.domain.account import Account, Credentials
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.storage import Accounts, CredentialVault
from flow2api.domain.ports.system import Clock

_MOST_NAMED = 500
"""So many chosen accounts are put down one by one: as many as can be chosen so."""

_AT_ONCE = 50
"""Secrets that are asked for at once: enough to keep the database busy, few enough to let others read."""


class ExportAccounts:
    """Every export is put down before the first account leaves."""

    def __init__(self, accounts: Accounts, vault: CredentialVault, audit_log: AuditLog, clock: Clock) -> None:
        self._accounts = accounts
        self._vault = vault
        self._audit_log = audit_log
        self._clock = clock

    async def begin(
        self, actor: Actor, *, is_plain: bool, accounts: int, only: Sequence[int] | None = None
    ) -> AsyncIterator[Sequence[tuple[Account, Credentials]]]:
        """Put down that accounts leave, and give them in parts, in the order of their ids.

        Args:
            is_plain: Whether they leave unencrypted.
            accounts: How many there are about, for the audit log.
            only: The ids of those that are to leave; None for all.

        Raises:
            StorageError: It could not be put down; then nothing leaves.
        """
        chosen = None if only is None else sorted(set(only))
        entry = AuditEntry(
            at=self._clock.now(),
            actor=actor,
            action=AuditAction.ACCOUNTS_EXPORTED,
            details={"accounts": accounts, "is_plain": is_plain, **_named(chosen)},
        )
        await self._audit_log.note(entry)
        return self._parts(self._accounts.load() if chosen is None else self._chosen(chosen))

    async def _chosen(self, only: Sequence[int]) -> AsyncIterator[Sequence[Account]]:
        for start in range(0, len(only), _AT_ONCE):
            found = await self._accounts.some(only[start : start + _AT_ONCE])
            yield sorted(found.values(), key=lambda account: account.id)

    async def _parts(
        self, batches: AsyncIterator[Sequence[Account]]
    ) -> AsyncIterator[Sequence[tuple[Account, Credentials]]]:
        async for batch in batches:
            for start in range(0, len(batch), _AT_ONCE):
                part = batch[start : start + _AT_ONCE]
                found = await asyncio.gather(*(self._vault.read(account.id) for account in part))
                yield [(account, secret) for account, secret in zip(part, found, strict=True) if secret is not None]


def _named(chosen: Sequence[int] | None) -> dict[str, object]:
    """What the audit log tells of those that were chosen."""
    if chosen is None:
        return {}
    return {"is_part": True, **({"ids": chosen} if len(chosen) <= _MOST_NAMED else {})}
