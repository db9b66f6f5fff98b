"""Deleted accounts in the database, for as long as they can be brought back."""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec
from sqlalchemy import Connection, CursorResult, RowMapping, bindparam, delete, func, insert, select

from flow2api.adapters.persistence.account_mapping import row_to_account, row_to_credentials
from flow2api.adapters.persistence.accounts import ACCOUNTS, CREDENTIALS
from flow2api.adapters.persistence.audit_log import note_audit
from flow2api.adapters.persistence.changes import ACCOUNT, note_changes
from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.rows import DeletedAccountRow
from flow2api.adapters.persistence.rows.base import table_of, to_instant, to_moment
from flow2api.domain.account import Account, Credentials
from flow2api.domain.audit import AuditEntry
from flow2api.domain.errors import ConflictError
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.system import Clock
from flow2api.domain.trash import DeletedAccount, taken_by

DELETED = table_of(DeletedAccountRow)
_DIGEST = "token_digest"

_GET = select(ACCOUNTS).where(ACCOUNTS.c.id == bindparam("of"))
_SECRETS = select(CREDENTIALS).where(CREDENTIALS.c.account_id == bindparam("of"))
_REMOVE = delete(ACCOUNTS).where(ACCOUNTS.c.id == bindparam("of"))
_READ = select(DELETED).where(DELETED.c.id == bindparam("of"))
_DROP = delete(DELETED).where(DELETED.c.id == bindparam("of"))
_PAGE = select(DELETED).where(DELETED.c.id < bindparam("behind")).order_by(DELETED.c.id.desc()).limit(bindparam("most"))
_COUNT = select(func.count()).select_from(DELETED)
_FORGET = delete(DELETED).where(DELETED.c.deleted_at < bindparam("before"))
_OF_DIGEST = select(CREDENTIALS.c.account_id).where(CREDENTIALS.c.token_digest == bindparam("digest"))
_SAME = (
    select(ACCOUNTS.c.id)
    .where(
        ACCOUNTS.c.upstream == bindparam("upstream"),
        ACCOUNTS.c.base_url.is_not_distinct_from(bindparam("base_url")),
        (ACCOUNTS.c.email == bindparam("email")) | ACCOUNTS.c.id.in_(_OF_DIGEST),
    )
    .order_by(ACCOUNTS.c.id)
    .limit(1)
)
_GREATEST = 2**62


class SqlAccountTrash:
    """Rows that are moved, sealed as they are: under the same id the seals open again."""

    def __init__(self, database: Database, cipher: Cipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def put(self, account_id: int, who: str, at: datetime, audit: AuditEntry | None = None) -> None:
        def step(connection: Connection) -> None:
            account = connection.execute(_GET, {"of": account_id}).mappings().first()
            secrets = connection.execute(_SECRETS, {"of": account_id}).mappings().first()
            if account is None or secrets is None:
                return
            kept = {
                "id": account_id,
                "deleted_at": to_instant(at),
                "deleted_by": who,
                "account": _packed(account),
                "credentials": _packed(secrets),
            }
            connection.execute(_REMOVE, {"of": account_id})
            connection.execute(insert(DELETED), kept)
            note_changes(connection, ACCOUNT, (account_id,), self._clock.now())
            note_audit(connection, audit)

        await self._database.write(step)

    async def page(self, *, before: int | None, limit: int) -> Sequence[DeletedAccount]:
        wanted = {"behind": _GREATEST if before is None else before, "most": limit}
        rows = await self._database.read(lambda connection: connection.execute(_PAGE, wanted).mappings().all())
        return [_deleted(row) for row in rows]

    async def count(self) -> int:
        return await self._database.read(lambda connection: connection.execute(_COUNT).scalar_one())

    async def read(self, account_id: int) -> tuple[DeletedAccount, Credentials] | None:
        row = await self._database.read(
            lambda connection: connection.execute(_READ, {"of": account_id}).mappings().first()
        )
        if row is None:
            return None
        return _deleted(row), row_to_credentials(_unpacked(row["credentials"]), self._cipher)

    async def restore(self, account_id: int, audit: AuditEntry | None = None) -> Account | None:
        def step(connection: Connection) -> Account | ConflictError | None:
            row = connection.execute(_READ, {"of": account_id}).mappings().first()
            if row is None:
                return None
            account, secrets = _unpacked(row["account"]), _unpacked(row["credentials"])
            wanted = {name: account[name] for name in ("upstream", "base_url", "email")}
            taken = connection.scalar(_SAME, {**wanted, "digest": secrets[_DIGEST]})
            if taken is not None:
                return taken_by(taken)  # raised, it would undo the transaction that others share
            connection.execute(insert(ACCOUNTS), [dict(account)])
            connection.execute(insert(CREDENTIALS), [dict(secrets)])
            connection.execute(_DROP, {"of": account_id})
            note_changes(connection, ACCOUNT, (account_id,), self._clock.now())
            note_audit(connection, audit)
            return row_to_account(account)

        answer = await self._database.write(step)
        if isinstance(answer, ConflictError):
            raise answer
        return answer

    async def forget(self, before: datetime) -> int:
        def step(connection: Connection) -> int:
            dropped = cast("CursorResult[Any]", connection.execute(_FORGET, {"before": to_instant(before)}))
            return dropped.rowcount

        return await self._database.write(step)


def _deleted(row: RowMapping) -> DeletedAccount:
    account = row_to_account(_unpacked(row["account"]))
    return DeletedAccount(account, to_moment(row["deleted_at"]), row["deleted_by"])


def _packed(row: RowMapping) -> str:
    return msgspec.json.encode(dict(row)).decode()


def _unpacked(packed: str) -> RowMapping:
    """The columns of a row; a column that came later is missing, and has its default when the row is put back."""
    values: Mapping[str, Any] = msgspec.json.decode(packed)
    if _DIGEST in values:
        values = {**values, _DIGEST: base64.b64decode(values[_DIGEST])}
    return cast("RowMapping", values)


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import AccountTrash

    def _is_trash(trash: SqlAccountTrash) -> AccountTrash:
        return trash
