"""What several processes must agree on, and how they wake each other."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from flow2api.domain.media import MediaKind


class Slots(Protocol):
    """Counts who works on what, so that no account carries more than its capacity, in however many processes."""

    async def take(self, account_id: int, kind: MediaKind, limit: int | None) -> str | None:
        """Take one slot and return the ticket that gives it back; None when all are taken."""
        ...

    async def give_back(self, ticket: str) -> None:
        """Give the slot back; doing so twice does no harm."""
        ...


@runtime_checkable
class CountsInMemory(Protocol):
    """What slots may offer besides that ask nobody else: answers at once, for which no task has to be made."""

    def take_now(self, account_id: int, kind: MediaKind, limit: int | None) -> str | None:
        """As `Slots.take`."""
        ...

    def give_back_now(self, ticket: str) -> None:
        """As `Slots.give_back`."""
        ...


class Limits(Protocol):
    """Counts uses of what may be used so often in a span of time, over all processes."""

    async def spend(self, subject: str, amount: int, limit: int, window_s: float) -> float | None:
        """Count uses of a subject, all of them or none.

        A window begins with the first use that is counted and is over so many seconds later; then counting begins anew.

        Args:
            subject: What is used, under a name of its own; up to 200 characters of ASCII.
            amount: How many uses, one or more.
            limit: How many there may be in a window. Another one than before holds from now on.
            window_s: How long a window lasts, for a window that begins now.

        Returns:
            None when they are counted; else the seconds until the window ends, more than 0, and nothing is counted.
        """
        ...


@runtime_checkable
class LimitsInMemory(Protocol):
    """What limits may offer besides that ask nobody else: answers at once."""

    def spend_now(self, subject: str, amount: int, limit: int, window_s: float) -> float | None:
        """As `Limits.spend`."""
        ...


@runtime_checkable
class TellsUses(Protocol):
    """What limits in memory may offer besides: a look at what was counted, and a way to take it back."""

    def used_now(self, subject: str) -> tuple[int, float]:
        """How many uses are counted in the window of a subject, and in how many seconds that ends; 0 and 0 without one."""
        ...

    def give_back_now(self, subject: str, amount: int) -> None:
        """Count so many uses less; nothing happens when the window is over."""
        ...


@runtime_checkable
class RefundsUses(Protocol):
    """What limits that processes share may offer besides: a way to take back what was counted and came to nothing."""

    async def refund(self, subject: str, amount: int) -> None:
        """Count so many uses less, but never less than none; nothing happens when the window is over."""
        ...


class Events(Protocol):
    """Lets processes wake each other. What is lost only delays: whoever listens also looks by itself, less often."""

    async def publish(self, topic: str, about: str) -> None:
        """Tell every process that listens, this one too.

        Args:
            topic: What kind of thing has happened; up to 64 characters of ASCII.
            about: Which one; up to 200 characters of ASCII.
        """
        ...

    async def listen(self, heard: Callable[[str, str], None]) -> None:
        """Call ``heard`` with the topic and the subject of whatever is published from soon on, until this is cancelled.

        It ends or raises when the others cannot be heard any more; then it is called anew. What is published may come twice or
        out of order.

        Args:
            heard: To be called in the event loop; it is quick and does not raise.
        """
        ...


class Coordination(Protocol):
    """What the processes of one gateway share, apart from the database.

    Attributes:
        is_shared: Whether there may be other processes. If not, nothing is published, for nobody else would hear it.
    """

    @property
    def is_shared(self) -> bool:
        """See above."""
        ...

    @property
    def slots(self) -> Slots:
        """The slots of accounts."""
        ...

    @property
    def limits(self) -> Limits:
        """The limits of keys."""
        ...

    @property
    def events(self) -> Events:
        """The wake-ups."""
        ...

    async def ping(self) -> None:
        """Raise when the others cannot be reached now; of any class, with a text for the operator."""
        ...

    async def aclose(self) -> None:
        """Give back what this process holds, and disconnect; doing so twice does no harm."""
        ...
