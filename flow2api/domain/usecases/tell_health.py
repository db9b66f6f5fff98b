"""What operators do to accounts becomes part of the accounts' timelines, whoever carries it out."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from flow2api.domain.account import Account, Credentials
from flow2api.domain.audit import AuditEntry
from flow2api.domain.credential_kinds import SESSIONS, CredentialKinds
from flow2api.domain.health import OPERATOR, HealthEvent, HealthKind, changes
from flow2api.domain.ports.storage import Accounts, Changed, CredentialVault, HealthLog
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret


class ToldAccounts:
    """Accounts whose changes are noted as an operator's, by name where the audit entry tells it."""

    def __init__(
        self,
        accounts: Accounts,
        health: HealthLog,
        clock: Clock,
        *,
        added_as: HealthKind = HealthKind.ADDED,
        by: str = OPERATOR,
    ) -> None:
        self._accounts = accounts
        self._health = health
        self._clock = clock
        self._added_as = added_as
        self._by = by

    def load(self) -> AsyncIterator[Sequence[Account]]:
        return self._accounts.load()

    async def get(self, account_id: int) -> Account | None:
        return await self._accounts.get(account_id)

    async def some(self, account_ids: Sequence[int]) -> Mapping[int, Account]:
        return await self._accounts.some(account_ids)

    async def with_emails(self, emails: Sequence[str]) -> Sequence[Account]:
        return await self._accounts.with_emails(emails)

    async def add(
        self,
        accounts: Sequence[tuple[Account, Credentials]],
        audit: AuditEntry | None = None,
        *,
        unless_there: bool = False,
    ) -> Sequence[Account]:
        added = await self._accounts.add(accounts, audit, unless_there=unless_there)
        for account in added:
            self._health.note(HealthEvent(account.id, self._clock.now(), self._added_as, by=_who(audit, self._by)))
        return added

    async def change(
        self,
        account_id: int,
        change: Callable[[Account], Account],
        audit: Callable[[Changed], AuditEntry | None] | None = None,
    ) -> Changed | None:
        changed = await self._accounts.change(account_id, change, audit)
        if changed is not None and changed.after != changed.before:
            who = _who(None if audit is None else audit(changed), self._by)
            for event in changes(changed.before, changed.after, self._clock.now(), by=who):
                self._health.note(event)
        return changed

    async def remove(self, account_id: int, audit: AuditEntry | None = None) -> None:
        await self._accounts.remove(account_id, audit)


class ToldVault:
    """A vault in which a session token or an API key that is replaced is noted as an operator's change, by name if known."""

    def __init__(
        self,
        vault: CredentialVault,
        health: HealthLog,
        clock: Clock,
        *,
        by: str = OPERATOR,
        kinds: CredentialKinds = SESSIONS,
    ) -> None:
        self._kinds = kinds
        self._vault = vault
        self._health = health
        self._clock = clock
        self._by = by

    def load(self) -> AsyncIterator[Sequence[tuple[int, Credentials]]]:
        return self._vault.load()

    async def read(self, account_id: int) -> Credentials | None:
        return await self._vault.read(account_id)

    async def write(
        self,
        account_id: int,
        credentials: Credentials,
        change: Callable[[Account], Account],
        audit: Callable[[Changed], AuditEntry | None] | None = None,
        *,
        replaces: Secret | None = None,
    ) -> Changed | None:
        changed = await self._vault.write(account_id, credentials, change, audit, replaces=replaces)
        if changed is not None:
            has_key = self._kinds.of(changed.after.upstream).has_key
            kind = HealthKind.KEY_REPLACED if has_key else HealthKind.SESSION_REPLACED
            who = _who(None if audit is None else audit(changed), self._by)
            self._health.note(HealthEvent(account_id, self._clock.now(), kind, by=who))
        return changed

    async def find(self, session_tokens: Sequence[Secret]) -> Mapping[Secret, Sequence[int]]:
        return await self._vault.find(session_tokens)


def _who(audit: AuditEntry | None, otherwise: str) -> str:
    return otherwise if audit is None else audit.actor.name or otherwise


if TYPE_CHECKING:

    def _are_accounts(accounts: ToldAccounts) -> Accounts:
        return accounts

    def _is_a_vault(vault: ToldVault) -> CredentialVault:
        return vault
