"""Whom the server writes to, and the messages on their way."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from flow2api.domain.audit import AuditEntry
from flow2api.domain.errors import ChangedMeanwhileError
from flow2api.domain.notices import Notice
from flow2api.domain.notification import LastTold, NotifyTarget
from flow2api.domain.webhook import ECHO, Delivery, DeliveryState, Webhook, changed_fields
from flow2api_lmdb.engine import Engine
from flow2api_lmdb.noting import WEBHOOK, note_audit, note_changes
from flow2api_lmdb.schema import DELIVERIES, NOTIFY_TARGETS, TOLD, WEBHOOKS, Told
from flow2api_lmdb.slices import first
from flow2api_lmdb.tables import Step


class LmdbNotifyTargets:
    """Places by id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def all(self) -> Sequence[NotifyTarget]:
        return await self._engine.read(lambda step: list(step.scan(NOTIFY_TARGETS)))

    async def add(self, target: NotifyTarget, audit: AuditEntry | None = None) -> NotifyTarget:
        def work(step: Step) -> NotifyTarget:
            added = replace(target, id=step.new_number("notify_target"))
            step.put(NOTIFY_TARGETS, (added.id,), added)
            note_audit(step, audit, added.id)
            return added

        return await self._engine.write(work)

    async def remove(self, target_id: int, audit: AuditEntry | None = None) -> bool:
        def work(step: Step) -> bool:
            if not step.delete(NOTIFY_TARGETS, target_id):
                return False
            note_audit(step, audit)
            return True

        return await self._engine.write(work)

    async def note(self, target_id: int, at: datetime, error: str) -> None:
        def work(step: Step) -> None:
            target = step.get(NOTIFY_TARGETS, target_id)
            if target is not None:
                told = replace(target, failed_at=at) if error else replace(target, sent_at=at)
                step.put(NOTIFY_TARGETS, (target_id,), replace(told, error=error))

        await self._engine.write(work)


class LmdbToldNotices:
    """What was told last, by what it is about."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def claim(self, notices: Sequence[Notice], now: datetime, since: datetime) -> Mapping[str, LastTold]:
        def work(step: Step) -> Mapping[str, LastTold]:
            known: dict[str, LastTold] = {}
            for notice in notices:
                told = step.get(TOLD, notice.about)
                last = None if told is None else told.last
                if last is not None and (last.at > since or (last.news == notice.news and notice.at <= last.at)):
                    known[notice.about] = last
                else:
                    step.put(TOLD, (notice.about,), Told(notice.about, LastTold(notice.news, now)))
            return known

        return await self._engine.write(work)


class LmdbWebhooks:
    """Webhooks by id."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def all(self) -> Sequence[Webhook]:
        return await self._engine.read(lambda step: list(step.scan(WEBHOOKS)))

    async def add(self, webhook: Webhook, audit: AuditEntry | None = None) -> Webhook:
        def work(step: Step) -> Webhook:
            added = replace(webhook, id=step.new_number("webhook"))
            step.put(WEBHOOKS, (added.id,), added)
            note_changes(step, WEBHOOK, [added.id])
            note_audit(step, audit, added.id)
            return added

        return await self._engine.write(work)

    async def remove(self, webhook_id: int, audit: AuditEntry | None = None) -> bool:
        def work(step: Step) -> bool:
            if not step.delete(WEBHOOKS, webhook_id):
                return False
            for delivery in list(step.by(DELIVERIES, "webhook", webhook_id)):
                step.delete(DELIVERIES, delivery.number)
            note_changes(step, WEBHOOK, [webhook_id])
            note_audit(step, audit)
            return True

        return await self._engine.write(work)

    async def save(self, webhook: Webhook, audit: AuditEntry | None = None, *, former: Webhook | None = None) -> bool:
        def work(step: Step) -> bool:
            kept = step.get(WEBHOOKS, webhook.id)
            if kept is None:
                return False
            if former is not None and (fields := changed_fields(former, kept)):
                raise ChangedMeanwhileError(fields)
            changed = replace(
                kept,
                url=webhook.url,
                shown=webhook.shown,
                signing=webhook.signing,
                kinds=webhook.kinds,
                key_id=webhook.key_id,
            )
            step.put(WEBHOOKS, (webhook.id,), changed)
            note_changes(step, WEBHOOK, [webhook.id])
            note_audit(step, audit)
            return True

        return await self._engine.write(work)

    async def switch(
        self, webhook_id: int, disabled_at: datetime | None, why: str = "", audit: AuditEntry | None = None
    ) -> bool:
        def work(step: Step) -> bool:
            webhook = step.get(WEBHOOKS, webhook_id)
            if webhook is None or (webhook.disabled_at is None) == (disabled_at is None):
                return False
            switched = replace(webhook, disabled_at=disabled_at, disabled_why=why)
            if disabled_at is None:
                switched = replace(switched, failing_since=None)
            else:
                _give_up(step, webhook_id, disabled_at)
            step.put(WEBHOOKS, (webhook_id,), switched)
            note_changes(step, WEBHOOK, [webhook_id])
            note_audit(step, audit)
            return True

        return await self._engine.write(work)


class LmdbDeliveries:
    """Messages by number."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add(self, deliveries: Sequence[Delivery]) -> None:
        def work(step: Step) -> None:
            for delivery in deliveries:
                webhook = step.get(WEBHOOKS, delivery.webhook_id)
                if webhook is not None and webhook.is_enabled and _is_new(step, delivery):
                    number = step.new_number("delivery")
                    step.put(DELIVERIES, (number,), replace(delivery, number=number))

        await self._engine.write(work)

    async def claim(self, now: datetime, until: datetime, limit: int, busy: Sequence[int] = ()) -> Sequence[Delivery]:
        def work(step: Step) -> Sequence[Delivery]:
            due: list[Delivery] = []
            for one in _pending(step, busy):
                if one.due_at > now or len(due) == limit:
                    break
                due.append(one)
            for one in due:
                step.put(DELIVERIES, (one.number,), replace(one, due_at=until))
            return due

        return await self._engine.write(work)

    async def next_due(self, busy: Sequence[int] = ()) -> datetime | None:
        found = await self._engine.read(lambda step: first(1, _pending(step, busy)))
        return found[0].due_at if found else None

    async def save(self, delivery: Delivery, failing_since: datetime | None) -> None:
        def work(step: Step) -> None:
            kept = step.get(DELIVERIES, delivery.number)
            if kept is not None and kept.state is DeliveryState.PENDING:
                step.put(DELIVERIES, (delivery.number,), delivery)
            webhook = step.get(WEBHOOKS, delivery.webhook_id)
            if webhook is None:
                return
            if failing_since is None:
                webhook = replace(webhook, failing_since=None, delivered_at=delivery.ended_at)
            else:
                webhook = replace(webhook, failing_since=webhook.failing_since or failing_since)
            step.put(WEBHOOKS, (webhook.id,), webhook)

        await self._engine.write(work)

    async def page(self, webhook_id: int | None, *, before: int | None, limit: int) -> Sequence[Delivery]:
        def work(step: Step) -> Sequence[Delivery]:
            if webhook_id is None:
                end = None if before is None else (before,)
                return first(limit, step.scan(DELIVERIES, before=end, backwards=True))
            end_of = None if before is None else (webhook_id, before)
            return first(limit, step.by(DELIVERIES, "webhook", webhook_id, before=end_of, backwards=True))

        return await self._engine.read(work)

    async def forget(self, before: datetime, limit: int) -> int:
        def work(step: Step) -> int:
            old = first(limit, step.by(DELIVERIES, "ended", before=(before,)))
            for one in old:
                step.delete(DELIVERIES, one.number)
            return len(old)

        return await self._engine.write(work)


def _pending(step: Step, busy: Sequence[int]) -> Iterator[Delivery]:
    return (one for one in step.by(DELIVERIES, "due") if one.webhook_id not in busy)


def _is_new(step: Step, delivery: Delivery) -> bool:
    """Whether the webhook has neither this message nor, a short while ago, the same news of the same thing."""
    if first(1, step.by(DELIVERIES, "message", delivery.webhook_id, delivery.message_id)):
        return False
    if not delivery.about:
        return True
    last = first(1, step.by(DELIVERIES, "about", delivery.webhook_id, delivery.about, backwards=True))
    return not last or last[0].news != delivery.news or abs(delivery.at - last[0].at) >= ECHO


def _give_up(step: Step, webhook_id: int, at: datetime) -> None:
    for one in list(step.by(DELIVERIES, "webhook", webhook_id)):
        if one.state is DeliveryState.PENDING:
            failed = replace(one, state=DeliveryState.FAILED, ended_at=at, error="the webhook was switched off")
            step.put(DELIVERIES, (one.number,), failed)
