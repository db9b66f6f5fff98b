"""Where the browser extension's token is kept."""

from typing import Protocol

from flow2api.domain.audit import AuditEntry
from flow2api.domain.connection_token import ConnectionToken


class ConnectionTokens(Protocol):
    """There is one connection token at most."""

    async def current(self) -> ConnectionToken | None:
        """The one that is good now."""
        ...

    async def replace(self, token: ConnectionToken | None, audit: AuditEntry | None = None) -> None:
        """Put another one in its place, with its audit entry in one step; None leaves none."""
        ...
