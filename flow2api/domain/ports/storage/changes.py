"""What has changed, for processes that keep it in memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change feed: what kind of thing changed and which one.

    Attributes:
        is_own: It was written through this very storage, so memory knows it already.
    """

    number: int
    what: str
    id: str
    is_own: bool = False


class ChangeFeed(Protocol):
    """Numbered changes, written in the same transaction as what changed."""

    async def latest(self) -> int:
        """The number of the newest change; 0 when there is none."""
        ...

    async def since(self, number: int, limit: int = 1000) -> Sequence[Change]:
        """Changes behind this number, oldest first."""
        ...


@runtime_checkable
class TellsOwnChanges(Protocol):
    """What a change feed may offer besides: other processes hear of what this storage writes without having to look."""

    def tell(self, listener: Callable[[], None]) -> None:
        """Call this in the event loop, soon after changes were stored; it is quick and does not raise."""
        ...
