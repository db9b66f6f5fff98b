"""Places, webhooks and messages in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from flow2api.domain.audit import AuditEntry
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError, UnsupportedInputError
from flow2api.domain.notices import Notice
from flow2api.domain.notification import LastTold, Message, NotifyTarget
from flow2api.domain.secret import Secret
from flow2api.domain.webhook import ECHO, Delivery, DeliveryState, Receipt, Webhook, changed_fields
from flow2api.testing.fakes.tables import Tables

if TYPE_CHECKING:
    from flow2api.domain.ports.notifications import Messenger, NotifyTargets, ToldNotices
    from flow2api.domain.ports.webhooks import Courier, Deliveries, Webhooks


class FakeNotifyTargets:
    """Notify targets in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def all(self) -> Sequence[NotifyTarget]:
        return list(self._tables.told.targets.values())

    async def add(self, target: NotifyTarget, audit: AuditEntry | None = None) -> NotifyTarget:
        self._tables.writing(audit)
        if any(other.name == target.name for other in self._tables.told.targets.values()):
            raise ConflictError(f"A notify target named {target.name!r} exists already. Choose another name.")
        target = replace(target, id=self._tables.new_id("notify_target"))
        self._tables.told.targets[target.id] = target
        self._tables.note_audit(audit, target.id)
        return target

    async def remove(self, target_id: int, audit: AuditEntry | None = None) -> bool:
        self._tables.writing(audit)
        if self._tables.told.targets.pop(target_id, None) is None:
            return False
        self._tables.note_audit(audit)
        return True

    async def note(self, target_id: int, at: datetime, error: str) -> None:
        self._tables.writing()
        target = self._tables.told.targets.get(target_id)
        if target is not None:
            told = replace(target, failed_at=at) if error else replace(target, sent_at=at)
            self._tables.told.targets[target_id] = replace(told, error=error)


class FakeToldNotices:
    """What was told last, in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def claim(self, notices: Sequence[Notice], now: datetime, since: datetime) -> Mapping[str, LastTold]:
        self._tables.writing()
        known: dict[str, LastTold] = {}
        for notice in notices:
            last = self._tables.told.last.get(notice.about)
            if last is not None and (last.at > since or (last.news == notice.news and notice.at <= last.at)):
                known[notice.about] = last
            else:
                self._tables.told.last[notice.about] = LastTold(notice.news, now)
        return known


class FakeWebhooks:
    """Webhooks in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def all(self) -> Sequence[Webhook]:
        return list(self._tables.told.webhooks.values())

    async def add(self, webhook: Webhook, audit: AuditEntry | None = None) -> Webhook:
        self._tables.writing(audit)
        if any(other.name == webhook.name for other in self._tables.told.webhooks.values()):
            raise ConflictError(f"A webhook named {webhook.name!r} exists already. Choose another name.")
        webhook = replace(webhook, id=self._tables.new_id("webhook"))
        self._tables.told.webhooks[webhook.id] = webhook
        self._tables.note("webhook", webhook.id)
        self._tables.note_audit(audit, webhook.id)
        return webhook

    async def remove(self, webhook_id: int, audit: AuditEntry | None = None) -> bool:
        self._tables.writing(audit)
        if self._tables.told.webhooks.pop(webhook_id, None) is None:
            return False
        deliveries = self._tables.told.deliveries
        for number in [number for number, one in deliveries.items() if one.webhook_id == webhook_id]:
            del deliveries[number]
        self._tables.note("webhook", webhook_id)
        self._tables.note_audit(audit)
        return True

    async def save(self, webhook: Webhook, audit: AuditEntry | None = None, *, former: Webhook | None = None) -> bool:
        self._tables.writing(audit)
        kept = self._tables.told.webhooks.get(webhook.id)
        if kept is None:
            return False
        if former is not None and (fields := changed_fields(former, kept)):
            raise ChangedMeanwhileError(fields)
        self._tables.told.webhooks[webhook.id] = replace(
            kept,
            url=webhook.url,
            shown=webhook.shown,
            signing=webhook.signing,
            kinds=webhook.kinds,
            key_id=webhook.key_id,
        )
        self._tables.note("webhook", webhook.id)
        self._tables.note_audit(audit)
        return True

    async def switch(
        self, webhook_id: int, disabled_at: datetime | None, why: str = "", audit: AuditEntry | None = None
    ) -> bool:
        self._tables.writing(audit)
        webhook = self._tables.told.webhooks.get(webhook_id)
        if webhook is None or (webhook.disabled_at is None) == (disabled_at is None):
            return False
        switched = replace(webhook, disabled_at=disabled_at, disabled_why=why)
        if disabled_at is None:
            switched = replace(switched, failing_since=None)
        else:
            for number, one in self._tables.told.deliveries.items():
                if one.webhook_id == webhook_id and one.state is DeliveryState.PENDING:
                    self._tables.told.deliveries[number] = replace(
                        one, state=DeliveryState.FAILED, ended_at=disabled_at, error="the webhook was switched off"
                    )
        self._tables.told.webhooks[webhook_id] = switched
        self._tables.note("webhook", webhook_id)
        self._tables.note_audit(audit)
        return True


class FakeDeliveries:
    """Messages in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, deliveries: Sequence[Delivery]) -> None:
        self._tables.writing()
        for delivery in deliveries:
            known = {(one.message_id, one.webhook_id) for one in self._tables.told.deliveries.values()}
            is_new = (delivery.message_id, delivery.webhook_id) not in known
            webhook = self._tables.told.webhooks.get(delivery.webhook_id)
            if is_new and webhook is not None and webhook.is_enabled and not self._is_echo(delivery):
                number = self._tables.new_id("delivery")
                self._tables.told.deliveries[number] = replace(delivery, number=number)

    def _is_echo(self, delivery: Delivery) -> bool:
        of = (delivery.webhook_id, delivery.about)
        same = [one for one in self._tables.told.deliveries.values() if (one.webhook_id, one.about) == of]
        if not delivery.about or not same:
            return False
        latest = max(same, key=lambda one: one.number)
        return latest.news == delivery.news and abs(delivery.at - latest.at) < ECHO

    async def claim(self, now: datetime, until: datetime, limit: int, busy: Sequence[int] = ()) -> Sequence[Delivery]:
        self._tables.writing()
        due = sorted(
            (one for one in self._pending(busy) if one.due_at <= now), key=lambda one: (one.due_at, one.number)
        )[:limit]
        for one in due:
            self._tables.told.deliveries[one.number] = replace(one, due_at=until)
        return due

    async def next_due(self, busy: Sequence[int] = ()) -> datetime | None:
        return min((one.due_at for one in self._pending(busy)), default=None)

    async def save(self, delivery: Delivery, failing_since: datetime | None) -> None:
        self._tables.writing()
        told = self._tables.told
        kept = told.deliveries.get(delivery.number)
        if kept is not None and kept.state is DeliveryState.PENDING:
            told.deliveries[delivery.number] = delivery
        webhook = told.webhooks.get(delivery.webhook_id)
        if webhook is None:
            return
        if failing_since is None:
            webhook = replace(webhook, failing_since=None, delivered_at=delivery.ended_at)
        else:
            webhook = replace(webhook, failing_since=webhook.failing_since or failing_since)
        told.webhooks[webhook.id] = webhook

    async def page(self, webhook_id: int | None, *, before: int | None, limit: int) -> Sequence[Delivery]:
        found = [
            one
            for one in self._tables.told.deliveries.values()
            if webhook_id in (None, one.webhook_id) and (before is None or one.number < before)
        ]
        return sorted(found, key=lambda one: -one.number)[:limit]

    async def forget(self, before: datetime, limit: int) -> int:
        self._tables.writing()
        deliveries = self._tables.told.deliveries
        old = [number for number, one in deliveries.items() if one.ended_at is not None and one.ended_at < before]
        for number in old[:limit]:
            del deliveries[number]
        return len(old[:limit])

    def _pending(self, busy: Sequence[int]) -> list[Delivery]:
        return [
            one
            for one in self._tables.told.deliveries.values()
            if one.state is DeliveryState.PENDING and one.webhook_id not in busy
        ]


@dataclass
class FakeMessenger:
    """Writes down what it is to send.

    Attributes:
        sent: Address and message of each call, in order.
        errors: What the next calls fail with, by address; None is a success.
    """

    sent: list[tuple[str, Message]] = field(default_factory=list)
    errors: dict[str, list[str | None]] = field(default_factory=dict)

    async def service_of(self, url: Secret) -> str | None:
        scheme, _, rest = url.reveal().partition("://")
        return scheme.title() if rest else None

    async def send(self, url: Secret, message: Message) -> str | None:
        self.sent.append((url.reveal(), message))
        errors = self.errors.get(url.reveal())
        return errors.pop(0) if errors else None


@dataclass
class FakeCourier:
    """Writes down what it is to carry.

    Attributes:
        carried: Webhook, message id and content of each call, in order.
        receipts: What comes of the next calls, by the webhook's name.
    """

    carried: list[tuple[str, str, bytes]] = field(default_factory=list)
    receipts: dict[str, list[Receipt]] = field(default_factory=dict)

    def check(self, url: Secret) -> str:
        if not url.reveal().startswith("https://"):
            raise UnsupportedInputError("The address of a webhook is https on a public host.", param="url")
        return "/".join(url.reveal().split("/")[:3])

    async def carry(self, webhook: Webhook, message_id: str, at: datetime, content: bytes) -> Receipt:
        self.carried.append((webhook.name, message_id, content))
        receipts = self.receipts.get(webhook.name)
        return receipts.pop(0) if receipts else Receipt(answer=204)

    def new_secret(self) -> Secret:
        return Secret("whsec_made")

    def check_secret(self, secret: Secret) -> None:
        if not secret.reveal().startswith("whsec_"):
            raise UnsupportedInputError("A signing secret begins with whsec_.", param="secret")


if TYPE_CHECKING:

    def _are_ports(
        targets: FakeNotifyTargets, told: FakeToldNotices, webhooks: FakeWebhooks, deliveries: FakeDeliveries
    ) -> tuple[NotifyTargets, ToldNotices, Webhooks, Deliveries]:
        return targets, told, webhooks, deliveries

    _messenger: Messenger = FakeMessenger()
    _courier: Courier = FakeCourier()
