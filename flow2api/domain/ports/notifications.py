"""Where operators are written to, and who carries the messages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from flow2api.domain.audit import AuditEntry
from flow2api.domain.notices import Notice
from flow2api.domain.notification import LastTold, Message, NotifyTarget
from flow2api.domain.secret import Secret


class NotifyTargets(Protocol):
    """The places, with their addresses sealed at rest. No two have one name."""

    async def all(self) -> Sequence[NotifyTarget]:
        """Every place, oldest first."""
        ...

    async def add(self, target: NotifyTarget, audit: AuditEntry | None = None) -> NotifyTarget:
        """Store a new one; its ``id`` (0 before) is filled in.

        Raises:
            ConflictError: Another one has this name.
        """
        ...

    async def remove(self, target_id: int, audit: AuditEntry | None = None) -> bool:
        """Forget one.

        Returns:
            False when it was not there.
        """
        ...

    async def note(self, target_id: int, at: datetime, error: str) -> None:
        """What came of a message; an empty ``error`` says that it got there."""
        ...


class ToldNotices(Protocol):
    """What operators were told last of each thing, and when: of several processes that notice it, one tells it."""

    async def claim(self, notices: Sequence[Notice], now: datetime, since: datetime) -> Mapping[str, LastTold]:
        """Note that these are told now, in one step, but for those that were told already.

        A notice was told already when its thing was told of after ``since``, or when it is the news that was told last and
        had happened by then.

        Returns:
            For those that were, what was told last, by what they are about. The others are the caller's to tell.
        """
        ...


class Messenger(Protocol):
    """Writes to people. It takes no longer than its time-out, whatever the other side does."""

    async def service_of(self, url: Secret) -> str | None:
        """What kind of place this address names; None when it names none that can be written to."""
        ...

    async def send(self, url: Secret, message: Message) -> str | None:
        """Write to one place.

        Returns:
            None when the message got there; else why it did not, for people, with nothing of the address in it.
        """
        ...
