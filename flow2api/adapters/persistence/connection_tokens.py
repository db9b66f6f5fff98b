"""The browser extension's token in the database, as its keyed hash."""

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select

from flow2api.adapters.persistence.audit_log import note_audit
from flow2api.adapters.persistence.database import Database
from flow2api.adapters.persistence.key_check import FACTS
from flow2api.domain.audit import AuditEntry
from flow2api.domain.connection_token import ConnectionToken

_NAME = "connection_token"
_FIND = select(FACTS.c.value).where(FACTS.c.name == bindparam("named"))
_REMOVE = delete(FACTS).where(FACTS.c.name == bindparam("named"))


class _Kept(msgspec.Struct, frozen=True):
    prefix: str
    digest: bytes
    created_at: datetime


class SqlConnectionTokens:
    """The one token is a fact of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def current(self) -> ConnectionToken | None:
        text = await self._database.read(lambda connection: connection.execute(_FIND, {"named": _NAME}).scalar())
        if text is None:
            return None
        kept = msgspec.json.decode(text, type=_Kept)
        return ConnectionToken(prefix=kept.prefix, digest=kept.digest, created_at=kept.created_at)

    async def replace(self, token: ConnectionToken | None, audit: AuditEntry | None = None) -> None:
        kept = None if token is None else _Kept(token.prefix, token.digest, token.created_at)

        def step(connection: Connection) -> None:
            connection.execute(_REMOVE, {"named": _NAME})
            if kept is not None:
                connection.execute(insert(FACTS), {"name": _NAME, "value": msgspec.json.encode(kept).decode()})
            note_audit(connection, audit)

        await self._database.write(step)


if TYPE_CHECKING:
    from flow2api.domain.ports.connection_tokens import ConnectionTokens

    def _is_connection_tokens(tokens: SqlConnectionTokens) -> ConnectionTokens:
        return tokens
