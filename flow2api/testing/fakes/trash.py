"""Deleted accounts in memory."""

from collections.abc import Sequence
from datetime import datetime

from flow2api.domain.account import Account, Credentials
from flow2api.domain.audit import AuditEntry
from flow2api.domain.trash import DeletedAccount, taken_by
from flow2api.testing.fakes.accounts import same_account
from flow2api.testing.fakes.tables import Tables


class FakeAccountTrash:
    """What was deleted, apart from the accounts."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def put(self, account_id: int, who: str, at: datetime, audit: AuditEntry | None = None) -> None:
        self._tables.writing(audit)
        account = self._tables.accounts.pop(account_id, None)
        if account is not None:
            secrets = self._tables.credentials.pop(account_id)
            self._tables.deleted[account_id] = (DeletedAccount(account, at, who), secrets)
            self._tables.note("account", account_id)
            self._tables.note_audit(audit)

    async def page(self, *, before: int | None, limit: int) -> Sequence[DeletedAccount]:
        kept = sorted(self._tables.deleted.items(), reverse=True)
        return [one for account_id, (one, _) in kept if before is None or account_id < before][:limit]

    async def count(self) -> int:
        return len(self._tables.deleted)

    async def read(self, account_id: int) -> tuple[DeletedAccount, Credentials] | None:
        return self._tables.deleted.get(account_id)

    async def restore(self, account_id: int, audit: AuditEntry | None = None) -> Account | None:
        self._tables.writing(audit)
        if account_id not in self._tables.deleted:
            return None
        deleted, secrets = self._tables.deleted[account_id]
        if (known := same_account(self._tables, deleted.account, secrets)) is not None:
            raise taken_by(known)
        del self._tables.deleted[account_id]
        self._tables.accounts[account_id] = deleted.account
        self._tables.credentials[account_id] = secrets
        self._tables.note("account", account_id)
        self._tables.note_audit(audit)
        return deleted.account

    async def forget(self, before: datetime) -> int:
        self._tables.writing()
        old = [account_id for account_id, (one, _) in self._tables.deleted.items() if one.deleted_at < before]
        for account_id in old:
            del self._tables.deleted[account_id]
        return len(old)
