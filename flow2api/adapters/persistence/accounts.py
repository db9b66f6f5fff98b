"""Accounts in the database."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, RowMapping, bindparam, delete, insert, select, update

from flow2api.adapters.persistence.account_mapping import account_to_row, credentials_to_row, row_to_account
from flow2api.adapters.persistence.audit_log import note_audit
from flow2api.adapters.persistence.changes import ACCOUNT, note_changes
from flow2api.adapters.persistence.database import Database, Step
from flow2api.adapters.persistence.rows import AccountRow, CounterRow, CredentialRow
from flow2api.adapters.persistence.rows.base import table_of
from flow2api.domain.account import Account, Credentials
from flow2api.domain.audit import AuditEntry
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import Changed
from flow2api.domain.ports.system import Clock
from flow2api.domain.trash import there_already

ACCOUNTS = table_of(AccountRow)
CREDENTIALS = table_of(CredentialRow)
COUNTERS = table_of(CounterRow)

BATCH = 250
"""Accounts that are loaded or added by one statement."""

SLICE = 20
"""Accounts that are handed on at a time, with a turn for others behind them: half a millisecond with what is done to
them. On a machine that has more to do than it can, every few milliseconds of work are interrupted for longer than they take."""

INLINE = 20
"""Up to so many accounts are sealed where they come in; more are sealed in a thread."""

_Added = Sequence[Account]
_Rows = Sequence[dict[str, Any]]

_GET = select(ACCOUNTS).where(ACCOUNTS.c.id == bindparam("account_id"))
_BEHIND = select(ACCOUNTS).where(ACCOUNTS.c.id > bindparam("behind")).order_by(ACCOUNTS.c.id).limit(bindparam("most"))
_SAVE = update(ACCOUNTS).where(ACCOUNTS.c.id == bindparam("account_id"))
_REMOVE = delete(ACCOUNTS).where(ACCOUNTS.c.id == bindparam("account_id"))
_RESERVE = (
    update(COUNTERS)
    .where(COUNTERS.c.name == bindparam("counter"))
    .values(value=COUNTERS.c.value + bindparam("many"))
    .returning(COUNTERS.c.value)
)
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


def account_to_change(connection: Connection, account_id: int) -> Account | None:
    """The account as it is in the transaction that is to write it."""
    row = connection.execute(_GET, {"account_id": account_id}).mappings().first()
    return None if row is None else row_to_account(row)


def save_account(connection: Connection, changed: Changed, entry: AuditEntry | None, now: datetime) -> None:
    """Write an account over what was found in this transaction, with what goes along."""
    account_id = changed.before.id
    values = {name: value for name, value in account_to_row(changed.after).items() if name != "id"}
    connection.execute(_SAVE, {"account_id": account_id, **values})
    note_changes(connection, ACCOUNT, (account_id,), now)
    note_audit(connection, entry)


Columns = Mapping[str, Any] | RowMapping


def same_account(connection: Connection, account: Columns, secrets: Columns) -> int | None:
    """The account of the same place that has the address or the secret of these rows."""
    wanted = {name: account[name] for name in ("upstream", "base_url", "email")}
    return connection.scalar(_SAME, {**wanted, "digest": secrets["token_digest"]})


class Alteration:
    """A caller's change of an account. What it raises is kept, for it must not undo the transaction that others share."""

    def __init__(
        self, change: Callable[[Account], Account], audit: Callable[[Changed], AuditEntry | None] | None
    ) -> None:
        self._change = change
        self._audit = audit
        self._error: Exception | None = None

    def of(self, account: Account) -> tuple[Changed, AuditEntry | None] | None:
        """What becomes of the account, and the entry that goes with it; None when the caller's functions failed."""
        self._error = None
        try:
            changed = Changed(account, self._change(account))
            return changed, None if self._audit is None else self._audit(changed)
        except Exception as error:  # noqa: BLE001 - it is the caller's, and is raised there
            self._error = error
            return None

    def raise_for_error(self) -> None:
        """Raise what the caller's functions did."""
        if self._error is not None:
            raise self._error


class SqlAccounts:
    """Accounts as rows. Their ids are reserved before they are written, for the seal of a secret names its row."""

    def __init__(self, database: Database, cipher: Cipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def load(self) -> AsyncIterator[Sequence[Account]]:
        behind = 0
        while rows := await self._behind(behind):
            for start in range(0, len(rows), SLICE):
                yield [row_to_account(row) for row in rows[start : start + SLICE]]
                await asyncio.sleep(0)
            behind = rows[-1]["id"]

    async def get(self, account_id: int) -> Account | None:
        row = await self._database.read(
            lambda connection: connection.execute(_GET, {"account_id": account_id}).mappings().first()
        )
        return None if row is None else row_to_account(row)

    async def some(self, account_ids: Sequence[int]) -> Mapping[int, Account]:
        return {account.id: account for account in await self._among(ACCOUNTS.c.id, account_ids)}

    async def with_emails(self, emails: Sequence[str]) -> Sequence[Account]:
        found = await self._among(ACCOUNTS.c.email, emails)
        return sorted(found, key=lambda account: account.id)

    async def add(
        self,
        accounts: Sequence[tuple[Account, Credentials]],
        audit: AuditEntry | None = None,
        *,
        unless_there: bool = False,
    ) -> Sequence[Account]:
        if not accounts:
            return ()
        many = {"counter": ACCOUNT, "many": len(accounts)}
        last = await self._database.write(lambda connection: connection.execute(_RESERVE, many).scalar_one())
        first = last - len(accounts) + 1
        if len(accounts) <= INLINE:
            added, rows, sealed = self._numbered(accounts, first)
        else:
            added, rows, sealed = await asyncio.to_thread(self._numbered, accounts, first)

        def step(connection: Connection) -> int | None:
            for row, secret in zip(rows, sealed, strict=True) if unless_there else ():
                if (known := same_account(connection, row, secret)) is not None:
                    return known  # raised here, it would undo the transaction that others share
            for start in range(0, len(rows), BATCH):
                connection.execute(insert(ACCOUNTS), rows[start : start + BATCH])
                connection.execute(insert(CREDENTIALS), sealed[start : start + BATCH])
            note_changes(connection, ACCOUNT, range(first, last + 1), self._clock.now())
            note_audit(connection, audit, made=first if first == last else f"{first}-{last}")
            return None

        if (known := await self._database.write(step)) is not None:
            raise there_already(known)
        return added

    async def change(
        self,
        account_id: int,
        change: Callable[[Account], Account],
        audit: Callable[[Changed], AuditEntry | None] | None = None,
    ) -> Changed | None:
        alteration = Alteration(change, audit)

        def step(connection: Connection) -> Changed | None:
            before = account_to_change(connection, account_id)
            if before is None or (altered := alteration.of(before)) is None:
                return None
            changed, entry = altered
            if changed.after != before:
                save_account(connection, changed, entry, self._clock.now())
            return changed

        changed = await self._database.write(step)
        alteration.raise_for_error()
        return changed

    async def remove(self, account_id: int, audit: AuditEntry | None = None) -> None:
        def step(connection: Connection) -> None:
            # The secrets go with it, by the foreign key.
            if connection.execute(_REMOVE, {"account_id": account_id}).rowcount:
                note_changes(connection, ACCOUNT, (account_id,), self._clock.now())
                note_audit(connection, audit)

        await self._database.write(step)

    async def _behind(self, account_id: int) -> Sequence[RowMapping]:
        return await self._database.read(
            lambda connection: connection.execute(_BEHIND, {"behind": account_id, "most": BATCH}).mappings().all()
        )

    async def _among(self, column: ColumnElement[Any], values: Sequence[object]) -> Sequence[Account]:
        """The accounts with these values, a batch at a time, with turns for others between them."""
        found = list[Account]()
        for start in range(0, len(values), BATCH):
            rows = await self._database.read(_rows_with(column, values[start : start + BATCH]))
            for first in range(0, len(rows), SLICE):
                found += map(row_to_account, rows[first : first + SLICE])
                await asyncio.sleep(0)
        return found

    def _numbered(self, accounts: Sequence[tuple[Account, Credentials]], first: int) -> tuple[_Added, _Rows, _Rows]:
        """The accounts with their ids, their rows, and the rows of their sealed secrets."""
        added = [replace(account, id=number) for number, (account, _) in enumerate(accounts, first)]
        sealed = [
            credentials_to_row(number, secrets, self._cipher) for number, (_, secrets) in enumerate(accounts, first)
        ]
        return added, [account_to_row(account) for account in added], sealed


def _rows_with(column: ColumnElement[Any], values: Sequence[object]) -> Step[Sequence[RowMapping]]:
    query = select(ACCOUNTS).where(column.in_(values))
    return lambda connection: connection.execute(query).mappings().all()


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import Accounts

    def _is_accounts(accounts: SqlAccounts) -> Accounts:
        return accounts
