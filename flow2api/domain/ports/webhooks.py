"""Webhooks, the messages on their way to them, and who carries those."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from flow2api.domain.audit import AuditEntry
from flow2api.domain.secret import Secret
from flow2api.domain.webhook import Delivery, Receipt, Webhook


class Webhooks(Protocol):
    """The webhooks, with their addresses and signing secrets sealed at rest. No two have one name."""

    async def all(self) -> Sequence[Webhook]:
        """Every one, switched off or not, oldest first."""
        ...

    async def add(self, webhook: Webhook, audit: AuditEntry | None = None) -> Webhook:
        """Store a new one; its ``id`` (0 before) is filled in, and the change noted in the feed.

        Raises:
            ConflictError: Another one has this name.
        """
        ...

    async def remove(self, webhook_id: int, audit: AuditEntry | None = None) -> bool:
        """Forget one with all its messages, and note the change in the feed.

        Returns:
            False when it was not there.
        """
        ...

    async def save(self, webhook: Webhook, audit: AuditEntry | None = None, *, former: Webhook | None = None) -> bool:
        """Write address, signing secret, events and key over what is there, and note the change in the feed.

        Args:
            former: The webhook as it was when the change was thought of, so that it undoes none that came between; None
                writes over whatever is there.

        Returns:
            False, and nothing was written, when it was not there.

        Raises:
            ChangedMeanwhileError: It is not as `former` any more; nothing was written.
        """
        ...

    async def switch(
        self, webhook_id: int, disabled_at: datetime | None, why: str = "", audit: AuditEntry | None = None
    ) -> bool:
        """Switch one off, or on again for None, and note the change in the feed.

        What waits for one that is switched off has failed. One that is switched on has never failed.

        Returns:
            False when it was so already, or is not there.
        """
        ...


class Deliveries(Protocol):
    """Messages to webhooks. What is in here is sent, even if the server ends in between."""

    async def add(self, deliveries: Sequence[Delivery]) -> None:
        """Store new messages in one step. One whose webhook is gone, or has this very message, is left out.

        So is one whose webhook was told the same news of the same thing last, less than `ECHO` before.
        """
        ...

    async def claim(self, now: datetime, until: datetime, limit: int, busy: Sequence[int] = ()) -> Sequence[Delivery]:
        """Pending messages that are due, longest due first; until then they are due for nobody else.

        Args:
            busy: Webhooks that get no more messages now.
        """
        ...

    async def next_due(self, busy: Sequence[int] = ()) -> datetime | None:
        """When the next message is due that is for none of the busy webhooks; None when no such is pending."""
        ...

    async def save(self, delivery: Delivery, failing_since: datetime | None) -> None:
        """Write what came of a try, and since when the webhook has failed (None: this one got through), in one step.

        A time that is written already for the webhook stays, unless it is None now.
        """
        ...

    async def page(self, webhook_id: int | None, *, before: int | None, limit: int) -> Sequence[Delivery]:
        """Messages with a lower number than ``before``, newest first."""
        ...

    async def forget(self, before: datetime, limit: int) -> int:
        """Delete messages that have ended before this moment.

        Returns:
            How many; fewer than ``limit`` when there are no more.
        """
        ...


class Courier(Protocol):
    """Carries signed messages."""

    def check(self, url: Secret) -> str:
        """The part of an address that may be shown.

        Raises:
            UnsupportedInputError: It is none that messages are carried to.
        """
        ...

    async def carry(self, webhook: Webhook, message_id: str, at: datetime, content: bytes) -> Receipt:
        """Sign a message and carry it once; it takes no longer than its time-out, whatever the other side does.

        Args:
            at: The moment of this try, which the signature covers.

        Returns:
            What came of it; it raises nothing.
        """
        ...

    def new_secret(self) -> Secret:
        """A new secret for signing."""
        ...

    def check_secret(self, secret: Secret) -> None:
        """Look at a secret that an operator brought along.

        Raises:
            UnsupportedInputError: It has not the form, or is too short.
        """
        ...
