"""Accounts and their secrets in memory."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from flow2api.domain.account import Account, AccountStatus, Credentials
from flow2api.domain.audit import AuditEntry
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.account_directory import (
    LONGEST_SEARCH,
    AccountFilter,
    AccountPage,
    AccountUse,
)
from flow2api.domain.ports.storage import Changed
from flow2api.domain.secret import Secret
from flow2api.domain.statistics import Counts
from flow2api.domain.trash import there_already
from flow2api.testing.fakes.tables import Tables


class FakeAccounts:
    """Accounts in memory."""

    def __init__(self, tables: Tables, batch: int = 500) -> None:
        self._tables = tables
        self._batch = batch

    async def load(self) -> AsyncIterator[Sequence[Account]]:
        accounts = [account for _, account in sorted(self._tables.accounts.items())]
        for start in range(0, len(accounts), self._batch):
            yield accounts[start : start + self._batch]

    async def get(self, account_id: int) -> Account | None:
        return self._tables.accounts.get(account_id)

    async def some(self, account_ids: Sequence[int]) -> Mapping[int, Account]:
        return {number: known for number in account_ids if (known := self._tables.accounts.get(number)) is not None}

    async def with_emails(self, emails: Sequence[str]) -> Sequence[Account]:
        return [account for _, account in sorted(self._tables.accounts.items()) if account.email in emails]

    async def add(
        self,
        accounts: Sequence[tuple[Account, Credentials]],
        audit: AuditEntry | None = None,
        *,
        unless_there: bool = False,
    ) -> Sequence[Account]:
        self._tables.writing(audit)
        for account, credentials in accounts if unless_there else ():
            if (known := same_account(self._tables, account, credentials)) is not None:
                raise there_already(known)
        added = []
        for new, credentials in accounts:
            account = replace(new, id=self._tables.new_id("account"))
            self._tables.accounts[account.id] = account
            self._tables.credentials[account.id] = replace(credentials, base_url=None)
            self._tables.note("account", account.id)
            added.append(account)
        if added:
            first, last = added[0].id, added[-1].id
            self._tables.note_audit(audit, first if first == last else f"{first}-{last}")
        return added

    async def change(
        self,
        account_id: int,
        change: Callable[[Account], Account],
        audit: Callable[[Changed], AuditEntry | None] | None = None,
    ) -> Changed | None:
        self._tables.beginning()
        before = self._tables.accounts.get(account_id)
        if before is None:
            return None
        changed = Changed(before, change(before))
        if changed.after != before:
            entry = None if audit is None else audit(changed)
            self._tables.writing(entry)
            self._tables.accounts[account_id] = changed.after
            self._tables.note("account", account_id)
            self._tables.note_audit(entry)
        return changed

    async def remove(self, account_id: int, audit: AuditEntry | None = None) -> None:
        self._tables.writing(audit)
        self._tables.credentials.pop(account_id, None)
        if self._tables.accounts.pop(account_id, None) is not None:
            self._tables.note("account", account_id)
            self._tables.note_audit(audit)


class FakeCredentialVault:
    """Secrets in memory, not sealed."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def load(self) -> AsyncIterator[Sequence[tuple[int, Credentials]]]:
        if fresh := [item for item in sorted(self._tables.credentials.items()) if item[1].is_fresh(self._tables.now())]:
            yield fresh

    async def read(self, account_id: int) -> Credentials | None:
        return self._tables.credentials.get(account_id)

    async def write(
        self,
        account_id: int,
        credentials: Credentials,
        change: Callable[[Account], Account],
        audit: Callable[[Changed], AuditEntry | None] | None = None,
        *,
        replaces: Secret | None = None,
    ) -> Changed | None:
        self._tables.beginning()
        before = self._tables.accounts.get(account_id)
        if before is None or replaces not in (None, self._tables.credentials[account_id].session_token):
            return None
        changed = Changed(before, change(before))
        entry = None if audit is None else audit(changed)
        self._tables.writing(entry)
        self._tables.accounts[account_id] = changed.after
        self._tables.credentials[account_id] = replace(credentials, base_url=None)
        self._tables.note("account", account_id)
        self._tables.note_audit(entry)
        return changed

    async def find(self, session_tokens: Sequence[Secret]) -> Mapping[Secret, Sequence[int]]:
        kept: dict[Secret, list[int]] = {}
        for number, credentials in sorted(self._tables.credentials.items()):
            kept.setdefault(credentials.session_token, []).append(number)
        return {token: kept[token] for token in session_tokens if token in kept}


class FakeAccountDirectory:
    """Looks through the accounts in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def page(self, wanted: AccountFilter, now: datetime, *, after: int, limit: int) -> Sequence[Account]:
        return [account for account in self._found(wanted, now) if account.id > after][:limit]

    async def count(self, wanted: AccountFilter, now: datetime) -> Mapping[AccountStatus, int]:
        found = [account.status(now) for account in self._found(wanted, now)]
        return {status: found.count(status) for status in AccountStatus}

    async def look(self, wanted: AccountFilter, now: datetime, *, after: int, limit: int) -> AccountPage:
        found = await self.page(wanted, now, after=after, limit=limit)
        return AccountPage(found, await self.count(wanted, now))

    async def use_of(self, account_ids: Sequence[int]) -> AccountUse:
        counts: dict[int, Counts] = {}
        last: dict[int, datetime] = {}
        for entry in self._tables.log:
            if entry.account_id in account_ids and entry.account_id is not None:
                went_well = entry.code is None
                made = Counts(
                    images=went_well and entry.kind is MediaKind.IMAGE,
                    videos=went_well and entry.kind is MediaKind.VIDEO,
                    succeeded=went_well,
                    errors=not went_well,
                )
                counts[entry.account_id] = counts.get(entry.account_id, Counts()) + made
                last[entry.account_id] = max(entry.at, last.get(entry.account_id, entry.at))
        return AccountUse(counts, last)

    def _found(self, wanted: AccountFilter, now: datetime) -> Sequence[Account]:
        text = (wanted.text or "")[:LONGEST_SEARCH].lower()
        return [
            account
            for _, account in sorted(self._tables.accounts.items())
            if any(text in (field or "").lower() for field in (account.email, account.name, account.remark))
            if wanted.status is None or account.status(now) is wanted.status
            if wanted.tag is None or wanted.tag in account.tags
        ]


def same_account(tables: Tables, account: Account, secrets: Credentials) -> int | None:
    """The account of the same place that has this one's address or secret."""
    for one in tables.accounts.values():
        is_same = tables.credentials[one.id].session_token == secrets.session_token
        if one.place == account.place and (is_same or (one.email is not None and one.email == account.email)):
            return one.id
    return None
