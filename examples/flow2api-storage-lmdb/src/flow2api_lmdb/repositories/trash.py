"""Deleted accounts, for as long as they can be brought back."""

from collections.abc import Sequence
from datetime import datetime

from flow2api.domain.account import Account, Credentials
from flow2api.domain.audit import AuditEntry
from flow2api.domain.trash import DeletedAccount, taken_by
from flow2api_lmdb.engine import Engine
from flow2api_lmdb.noting import ACCOUNT, note_audit, note_changes
from flow2api_lmdb.repositories.accounts import forget_account, same_account
from flow2api_lmdb.schema import ACCOUNTS, CREDENTIALS, DELETED, KeptDeleted
from flow2api_lmdb.slices import first
from flow2api_lmdb.tables import Step


class LmdbAccountTrash:
    """Deleted accounts by id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def put(self, account_id: int, who: str, at: datetime, audit: AuditEntry | None = None) -> None:
        def work(step: Step) -> None:
            account, secrets = step.get(ACCOUNTS, account_id), step.get(CREDENTIALS, account_id)
            if account is not None and secrets is not None:
                step.put(DELETED, (account_id,), KeptDeleted(DeletedAccount(account, at, who), secrets))
                forget_account(step, account_id, audit)

        await self._engine.write(work)

    async def page(self, *, before: int | None, limit: int) -> Sequence[DeletedAccount]:
        def work(step: Step) -> Sequence[DeletedAccount]:
            kept = (one.deleted for one in step.scan(DELETED, backwards=True))
            return first(limit, (one for one in kept if before is None or one.account.id < before))

        return await self._engine.read(work)

    async def count(self) -> int:
        return await self._engine.read(lambda step: step.count(DELETED))

    async def read(self, account_id: int) -> tuple[DeletedAccount, Credentials] | None:
        kept = await self._engine.read(lambda step: step.get(DELETED, account_id))
        return None if kept is None else (kept.deleted, kept.secrets.credentials)

    async def restore(self, account_id: int, audit: AuditEntry | None = None) -> Account | None:
        def work(step: Step) -> Account | None:
            kept = step.get(DELETED, account_id)
            if kept is None:
                return None
            if (taken := same_account(step, kept.deleted.account, kept.secrets.digest)) is not None:
                raise taken_by(taken)
            step.delete(DELETED, account_id)
            step.put(ACCOUNTS, (account_id,), kept.deleted.account)
            step.put(CREDENTIALS, (account_id,), kept.secrets)
            note_changes(step, ACCOUNT, [account_id])
            note_audit(step, audit)
            return kept.deleted.account

        return await self._engine.write(work)

    async def forget(self, before: datetime) -> int:
        def work(step: Step) -> int:
            old = [one.deleted.account.id for one in step.scan(DELETED) if one.deleted.deleted_at < before]
            for account_id in old:
                step.delete(DELETED, account_id)
            return len(old)

        return await self._engine.write(work)
