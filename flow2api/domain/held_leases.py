"""Leases on accounts, and how long each may be held."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType

from flow2api.domain.choice import Choice
from flow2api.domain.media import MediaKind
from flow2api.domain.selection import Candidate, Need


class Lease:
    """The right to use one account once. An async context manager; releasing twice does no harm.

    Attributes:
        choice: How the account was chosen; None when it was named.
        need: What it was taken for; None when the account was named.
        since: When it was taken, in monotonic seconds.
        ends_at: When it ends by itself; None without a limit.
    """

    __slots__ = ("_give_back", "account_id", "candidate", "choice", "ends_at", "kind", "need", "since", "ticket")

    def __init__(
        self,
        give_back: "Callable[[Lease], Awaitable[None]]",
        candidate: Candidate,
        kind: MediaKind,
        ticket: str | None,
        since: float,
        limit_s: float | None = None,
    ) -> None:
        self._give_back: Callable[[Lease], Awaitable[None]] | None = give_back
        self.candidate = candidate
        self.kind = kind
        self.ticket = ticket
        self.since = since
        self.ends_at = None if limit_s is None else since + limit_s
        self.account_id = candidate.account.id
        self.choice: Choice | None = None
        self.need: Need | None = None

    async def release(self) -> None:
        """Give the slot back."""
        give_back, self._give_back = self._give_back, None
        if give_back is not None:
            await give_back(self)

    async def __aenter__(self) -> "Lease":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.release()


class HeldLeases:
    """The leases that have a time limit, in the order of their making, which is nearly that of their ends."""

    def __init__(self) -> None:
        self._of: defaultdict[tuple[str, MediaKind], dict[Lease, None]] = defaultdict(dict)

    def add(self, lease: Lease) -> None:
        """It is held from now on."""
        if lease.ends_at is not None:
            self._of[lease.candidate.account.upstream, lease.kind][lease] = None

    def discard(self, lease: Lease) -> None:
        """It was given back."""
        if lease.ends_at is not None:
            self._of[lease.candidate.account.upstream, lease.kind].pop(lease, None)

    def count(self, upstream: str, kind: MediaKind) -> int:
        """How many are held on accounts of this upstream for this kind."""
        return len(self._of[upstream, kind])

    def latest(self, upstream: str, kind: MediaKind) -> float:
        """When the youngest of them was taken; 0 when there is none."""
        return next((lease.since for lease in reversed(self._of[upstream, kind])), 0.0)

    def overdue(self, now: float) -> Sequence[Lease]:
        """Those that are held past their limit. One behind another with a longer limit is found after that one."""
        found: list[Lease] = []
        for held in self._of.values():
            for lease in held:
                if lease.ends_at is None or lease.ends_at > now:
                    break
                found.append(lease)
        return found
