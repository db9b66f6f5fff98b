"""The secrets of accounts in the database, sealed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from flow2api.adapters.persistence.account_mapping import credentials_to_row, row_to_credentials
from flow2api.adapters.persistence.accounts import (
    BATCH,
    CREDENTIALS,
    INLINE,
    SLICE,
    Alteration,
    account_to_change,
    save_account,
)
from flow2api.adapters.persistence.database import Database, Step
from flow2api.adapters.persistence.rows.base import to_instant
from flow2api.domain.account import Account, Credentials
from flow2api.domain.audit import AuditEntry
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import Changed
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret

AT_ONCE = 500
"""Digests that one query looks for."""

_READ = select(CREDENTIALS).where(CREDENTIALS.c.account_id == bindparam("of"))
_DIGEST = select(CREDENTIALS.c.token_digest).where(CREDENTIALS.c.account_id == bindparam("of"))
_WRITE = update(CREDENTIALS).where(CREDENTIALS.c.account_id == bindparam("of"))
_FRESH = (
    select(CREDENTIALS)
    .where(
        CREDENTIALS.c.account_id > bindparam("behind"),
        CREDENTIALS.c.access_token.is_not(None),
        CREDENTIALS.c.expires_at > bindparam("now"),
    )
    .order_by(CREDENTIALS.c.account_id)
    .limit(bindparam("most"))
)
_FIND = (
    select(CREDENTIALS.c.token_digest, CREDENTIALS.c.account_id)
    .where(CREDENTIALS.c.token_digest.in_(bindparam("digests", expanding=True)))
    .order_by(CREDENTIALS.c.account_id)
)


class SqlCredentialVault:
    """Sealed secrets as rows; nothing leaves this class but `Credentials`."""

    def __init__(self, database: Database, cipher: Cipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    async def load(self) -> AsyncIterator[Sequence[tuple[int, Credentials]]]:
        now, behind = to_instant(self._clock.now()), 0
        while rows := await self._database.read(_fresh_behind(behind, now)):
            for start in range(0, len(rows), SLICE):
                part = rows[start : start + SLICE]
                yield [(row["account_id"], row_to_credentials(row, self._cipher)) for row in part]
                await asyncio.sleep(0)
            behind = rows[-1]["account_id"]

    async def read(self, account_id: int) -> Credentials | None:
        row = await self._database.read(
            lambda connection: connection.execute(_READ, {"of": account_id}).mappings().first()
        )
        return None if row is None else row_to_credentials(row, self._cipher)

    async def write(
        self,
        account_id: int,
        credentials: Credentials,
        change: Callable[[Account], Account],
        audit: Callable[[Changed], AuditEntry | None] | None = None,
        *,
        replaces: Secret | None = None,
    ) -> Changed | None:
        sealed = credentials_to_row(account_id, credentials, self._cipher)
        values = {name: value for name, value in sealed.items() if name != "account_id"}
        expected = None if replaces is None else self._cipher.digest(replaces, purpose="session_token")
        alteration = Alteration(change, audit)

        def step(connection: Connection) -> Changed | None:
            before = account_to_change(connection, account_id)
            if before is None or not _is_stored(connection, account_id, expected):
                return None
            if (altered := alteration.of(before)) is None:
                return None
            changed, entry = altered
            save_account(connection, changed, entry, self._clock.now())
            connection.execute(_WRITE, {"of": account_id, **values})
            return changed

        changed = await self._database.write(step)
        alteration.raise_for_error()
        return changed

    async def find(self, session_tokens: Sequence[Secret]) -> Mapping[Secret, Sequence[int]]:
        if len(session_tokens) <= INLINE:
            digests = self._digests(session_tokens)
        else:
            digests = await asyncio.to_thread(self._digests, session_tokens)
        found: dict[Secret, list[int]] = {}
        for start in range(0, len(digests), AT_ONCE):
            wanted = list(digests)[start : start + AT_ONCE]
            for row in await self._database.read(_among(wanted)):
                found.setdefault(digests[row["token_digest"]], []).append(row["account_id"])
        return found

    def _digests(self, session_tokens: Sequence[Secret]) -> dict[bytes, Secret]:
        return {self._cipher.digest(token, purpose="session_token"): token for token in session_tokens}


def _is_stored(connection: Connection, account_id: int, digest: bytes | None) -> bool:
    """Whether the session token of this digest is the account's; None is whatever it has."""
    return digest is None or connection.execute(_DIGEST, {"of": account_id}).scalar() == digest


def _fresh_behind(account_id: int, now: int) -> Step[Sequence[RowMapping]]:
    values = {"behind": account_id, "now": now, "most": BATCH}
    return lambda connection: connection.execute(_FRESH, values).mappings().all()


def _among(digests: Sequence[bytes]) -> Step[Sequence[RowMapping]]:
    return lambda connection: connection.execute(_FIND, {"digests": digests}).mappings().all()


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import CredentialVault

    def _is_a_vault(vault: SqlCredentialVault) -> CredentialVault:
        return vault
