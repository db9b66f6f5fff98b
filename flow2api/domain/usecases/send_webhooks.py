"""Sends what webhooks are told: written down first, then tried until it gets through or is given up."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from flow2api.domain import notices
from flow2api.domain.errors import ConfigurationError, Flow2ApiError
from flow2api.domain.notices import Notice, NoticeKind
from flow2api.domain.options import Options
from flow2api.domain.ports.system import Clock, Ids
from flow2api.domain.ports.webhooks import Courier, Deliveries, Webhooks
from flow2api.domain.webhook import GIVEN_UP_AFTER, Delivery, DeliveryState, Receipt, Webhook, pause_after

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Messages under way at the same time, to all webhooks together."""

TO_ONE_AT_ONCE = 4
"""To one of them, so that a slow one leaves room for the others."""

HELD = 10_000
"""Messages that may wait to be written down."""

LEASE = timedelta(seconds=60)
"""How long a message that is tried is nobody else's; longer than any try takes."""

_LOOK_EVERY_S = 30.0
_WRITTEN_AT_ONCE = 500
_PURGE_EVERY = timedelta(hours=1)
_PURGED_AT_ONCE = 500
_BREATH_S = 0.02


class SendWebhooks:
    """Whoever tells something waits for nothing: the message is held in memory, written down behind, and sent behind that.

    Args:
        link: The address of a media for whoever receives a message.
        tell: Takes the notice that a webhook was switched off.
    """

    def __init__(
        self,
        webhooks: Webhooks,
        deliveries: Deliveries,
        courier: Courier,
        link: Callable[[str], str],
        tell: Callable[[Notice], None],
        ids: Ids,
        clock: Clock,
        options: Callable[[], Options],
        random: Random | None = None,
    ) -> None:
        self._webhooks = webhooks
        self._deliveries = deliveries
        self._courier = courier
        self._link = link
        self._tell = tell
        self._ids = ids
        self._clock = clock
        self._options = options
        self._random = random or Random()  # noqa: S311  # spreads load, guards nothing
        self._known: dict[int, Webhook] = {}
        self._wanted: frozenset[NoticeKind] = frozenset()
        self._held: list[Delivery] = []
        self._dropped = 0
        self._news = asyncio.Event()
        self._under_way: dict[asyncio.Task[None], int] = {}
        self._purge_at: datetime | None = None

    async def load(self) -> None:
        """Take in the webhooks as they are stored; when one cannot be read, what was known stays."""
        try:
            stored = await self._webhooks.all()
        except ConfigurationError as error:
            log.warning("webhooks cannot be read: %s", error)
            return
        self._known = {webhook.id: webhook for webhook in stored}
        enabled = [webhook.kinds for webhook in self._known.values() if webhook.is_enabled]
        self._wanted = frozenset().union(*enabled)
        self._news.set()

    def wants(self, kind: NoticeKind) -> bool:
        """Whether any webhook is to hear of this kind."""
        return kind in self._wanted

    def take(self, notice: Notice) -> None:
        """Something that webhooks may want; never waits."""
        if not self.wants(notice.kind):
            return
        wanting = [webhook for webhook in self._known.values() if webhook.wants(notice)]
        if not wanting:
            return
        if len(self._held) + len(wanting) > HELD:
            self._dropped += len(wanting)
            return
        message_id, content = self._ids.new("msg"), _content(notice)
        self._held += [
            Delivery(
                number=0,
                webhook_id=webhook.id,
                message_id=message_id,
                kind=notice.kind.value,
                at=notice.at,
                content=content,
                results=notice.results,
                due_at=notice.at,
                about=notice.about if notice.kind.is_seen_by_all else "",
                news=notice.news,
            )
            for webhook in wanting
        ]
        self._news.set()

    async def run(self) -> None:
        """Send, for ever. At the end what is held is written down, and goes out after the next start."""
        try:
            while True:
                next_due = None
                try:
                    await self._write_down()
                    next_due = await self._begin_due()
                    await self._purge()
                except Flow2ApiError as error:
                    log.warning("webhooks wait for the database: %s", error)
                await self._wait(next_due)
        finally:
            for task in self._under_way:
                task.cancel()
            if self._under_way:
                await asyncio.wait(set(self._under_way))
            try:
                await self._write_down()
            except Flow2ApiError as error:
                log.warning("messages to webhooks lost at the end: %s", error, extra={"lost": len(self._held)})

    async def _wait(self, next_due: datetime | None) -> None:
        """Until there is something to do, as far as that is known here."""
        pause_s = _LOOK_EVERY_S
        if next_due is not None:
            pause_s = min(pause_s, max(0.05, (next_due - self._clock.now()).total_seconds()))
        waiting = [asyncio.create_task(self._news.wait()), asyncio.create_task(self._clock.sleep(pause_s))]
        try:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        self._news.clear()

    async def _write_down(self) -> None:
        while self._held:
            batch = self._held[:_WRITTEN_AT_ONCE]
            await self._deliveries.add(batch)
            del self._held[: len(batch)]
        if self._dropped:
            log.warning("messages to webhooks dropped, too many were waiting", extra={"dropped": self._dropped})
            self._dropped = 0

    async def _begin_due(self) -> datetime | None:
        """Begin as many as may be under way.

        Returns:
            When the next one is due; None when there is none, or no more may begin before another one is through.
        """
        while self._known and len(self._under_way) < AT_ONCE:
            now, busy = self._clock.now(), self._busy()
            next_due = await self._deliveries.next_due(busy)
            if next_due is None or next_due > now:
                return next_due
            due = await self._deliveries.claim(now, now + LEASE, self._room(), busy)
            for delivery in due:
                task = asyncio.create_task(self._deliver(delivery), name=f"webhook {delivery.webhook_id}")
                self._under_way[task] = delivery.webhook_id
                task.add_done_callback(self._is_through)
        return None

    def _busy(self) -> list[int]:
        """The webhooks that get no more messages now."""
        load = Counter(self._under_way.values())
        return [webhook_id for webhook_id, count in load.items() if count >= TO_ONE_AT_ONCE]

    def _room(self) -> int:
        """How many more may begin, even if all of them are for one webhook that is not busy."""
        load = Counter(self._under_way.values())
        most = max((count for count in load.values() if count < TO_ONE_AT_ONCE), default=0)
        return min(TO_ONE_AT_ONCE - most, AT_ONCE - len(self._under_way))

    def _is_through(self, task: "asyncio.Task[None]") -> None:
        self._under_way.pop(task, None)
        self._news.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("what came of a message to a webhook is not written: %s", error)

    async def _deliver(self, delivery: Delivery) -> None:
        webhook = self._known.get(delivery.webhook_id)
        if webhook is None:
            return  # removed, or made a moment ago: it is asked for again when its lease is over
        now = self._clock.now()
        try:
            receipt = await self._courier.carry(webhook, delivery.message_id, now, self._whole(delivery))
        except Exception:
            # It counts as a try: a message that nobody can carry must come to an end like any other.
            log.exception("message to a webhook could not be carried", extra={"webhook": webhook.name})
            receipt = Receipt(answer=None, error="it could not be sent")
        await self._note(webhook, delivery, receipt)

    def _whole(self, delivery: Delivery) -> bytes:
        """The message with links that are good from now."""
        if not delivery.results:
            return delivery.content.encode()
        message = json.loads(delivery.content)
        message["data"]["results"] = [{"id": one, "url": self._link(one)} for one in delivery.results]
        return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode()

    async def _note(self, webhook: Webhook, delivery: Delivery, receipt: Receipt) -> None:
        """Write what came of it. The webhook may have been changed meanwhile, so only what was learned is put on it."""
        now, attempts = self._clock.now(), delivery.attempts + 1
        tried = replace(delivery, attempts=attempts, answer=receipt.answer, error=receipt.error)
        if receipt.is_good:
            await self._deliveries.save(replace(tried, state=DeliveryState.DELIVERED, ended_at=now), None)
            self._remember(webhook.id, lambda current: replace(current, failing_since=None, delivered_at=now))
            return
        since = self._known.get(webhook.id, webhook).failing_since or now
        pause = None if receipt.is_gone else pause_after(attempts, receipt, self._random.random())
        if pause is not None:
            await self._deliveries.save(replace(tried, due_at=now + pause), since)
        else:
            await self._deliveries.save(replace(tried, state=DeliveryState.FAILED, ended_at=now), since)
        self._remember(webhook.id, lambda current: replace(current, failing_since=since))
        if receipt.is_gone:
            await self._switch_off(webhook, now, "its address answers that it is gone for good")
        elif pause is None and now - since >= GIVEN_UP_AFTER:
            await self._switch_off(webhook, now, f"nothing got through since {since:%Y-%m-%d %H:%M} UTC")

    def _remember(self, webhook_id: int, learned: Callable[[Webhook], Webhook]) -> None:
        if (current := self._known.get(webhook_id)) is not None:
            self._known[webhook_id] = learned(current)

    async def _switch_off(self, webhook: Webhook, now: datetime, why: str) -> None:
        if not await self._webhooks.switch(webhook.id, now, why):
            return
        await self.load()
        log.warning("webhook is switched off: %s", why, extra={"webhook": webhook.name})
        self._tell(notices.webhook_disabled(webhook.name, now, why))

    async def _purge(self) -> None:
        now, days = self._clock.now(), self._options().delivery_days
        if days <= 0 or (self._purge_at is not None and now < self._purge_at):
            return
        self._purge_at = now + _PURGE_EVERY
        while await self._deliveries.forget(now - timedelta(days=days), _PURGED_AT_ONCE) == _PURGED_AT_ONCE:
            await self._clock.sleep(_BREATH_S)


def content_of(kind: str, at: datetime, facts: object) -> str:
    """A message as every receiver knows it."""
    told = {"type": kind, "timestamp": at.isoformat(), "data": facts}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _content(notice: Notice) -> str:
    facts = dict(notice.facts)
    if notice.kind is NoticeKind.GENERATION_COMPLETED:
        facts["results"] = []
    if notice.kind.is_for_operators:
        facts["message"] = notice.sentence
    return content_of(notice.kind.value, notice.at, facts)
