"""Egress proxies: how they are kept, and how it is found out whether one works."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from flow2api.domain.audit import AuditEntry
from flow2api.domain.proxy import Proxy, ProxyHealth
from flow2api.domain.secret import Secret

Assignment = tuple[int, str]
"""An account's id and the name of the pool that it uses."""


class Proxies(Protocol):
    """The proxies, and which one of a pool each account has."""

    async def all(self) -> Sequence[Proxy]:
        """Every proxy, in the order of names."""
        ...

    async def add(self, proxy: Proxy, audit: AuditEntry | None = None) -> Proxy:
        """Store a new proxy; its ``id`` (0 before) is filled in.

        Raises:
            ConflictError: A proxy has this name.
        """
        ...

    async def save(self, proxy: Proxy, audit: AuditEntry | None = None, *, former: Proxy | None = None) -> None:
        """Write what an operator may change (all but name and health) over what is there, and note it in the feed.

        Args:
            former: The proxy as it was when the change was thought of, so that it undoes none that came between; None writes
                over whatever is there.

        Raises:
            ChangedMeanwhileError: It is not as `former` any more; nothing was written.
        """
        ...

    async def remove(self, proxy_id: int, audit: AuditEntry | None = None) -> bool:
        """Forget a proxy and who has it; False when there is none (any more), and then nothing is written."""
        ...

    async def note_health(self, health: Mapping[int, ProxyHealth]) -> None:
        """Write the health of these proxies, by id. One that changed its state is noted in the feed."""
        ...

    def assignments(self) -> AsyncIterator[Mapping[Assignment, str]]:
        """Which proxy, by name, each account has of each pool; in batches."""
        ...

    async def assign(self, chosen: Mapping[Assignment, str]) -> None:
        """Keep these; accounts that are gone are left out."""
        ...


@dataclass(frozen=True, slots=True)
class Passage:
    """What a check through a proxy brought.

    Attributes:
        status: HTTP status of the target's answer, whatever it is.
        egress: The address that the target saw, if it is one that tells.
    """

    status: int
    latency_ms: int
    egress: str | None


class ProbesProxies(Protocol):
    """Tries a proxy out."""

    async def __call__(self, url: Secret, target: str, *, timeout_s: float) -> Passage:
        """Fetch the target through the proxy, without any credential but the proxy's own.

        Raises:
            ProxyUnavailableError: Nothing came back; its message is a sentence without an address.
        """
        ...
