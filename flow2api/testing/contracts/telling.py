"""What a storage promises of notify targets, webhooks and messages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flow2api.domain import notices
from flow2api.domain.audit import Actor, AuditEntry
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError
from flow2api.domain.notices import NoticeKind
from flow2api.domain.notification import LastTold, NotifyTarget
from flow2api.domain.ports.storage import Storage
from flow2api.domain.secret import Secret
from flow2api.domain.webhook import ECHO, Delivery, DeliveryState, Webhook
from flow2api.testing.fakes.clock import FakeClock

NOW = datetime(2026, 11, 23, 12, 7, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)
PHONE = NotifyTarget(id=0, name="phone", service="Telegram", url=Secret("tgram://secret/1"), created_at=NOW)
SHOP = Webhook(
    id=0,
    name="shop",
    url=Secret("https://shop.example/hook?token=secret"),
    shown="https://shop.example",
    signing=Secret("whsec_secret"),
    kinds=frozenset({NoticeKind.GENERATION_COMPLETED, NoticeKind.ACCOUNT_NEEDS_CARE}),
    created_at=NOW,
    key_id=3,
)


def entry(action: str, subject: str | None = None) -> AuditEntry:
    """An entry of the audit log."""
    return AuditEntry(at=NOW, actor=Actor(name="ada", door="test"), action=action, subject=subject)


def delivery(webhook_id: int, message_id: str = "msg_1", **changes: object) -> Delivery:
    """A message to this webhook."""
    made = Delivery(
        number=0,
        webhook_id=webhook_id,
        message_id=message_id,
        kind="generation.completed",
        at=NOW,
        content='{"data": {}}',
        results=("med_1", "med_2"),
        due_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


class NotifyTargetsContract:
    """Places where operators read messages."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock(NOW)

    async def test_is_kept_whole_and_the_change_is_audited(self, storage: Storage) -> None:
        added = await storage.notify_targets.add(PHONE, entry("notify_target.added"))

        assert await storage.notify_targets.all() == [replace(PHONE, id=added.id)]
        (noted,) = await storage.audit_log.page(before=None, limit=5)
        assert (noted.action, noted.subject) == ("notify_target.added", str(added.id))

    async def test_no_two_have_one_name(self, storage: Storage) -> None:
        await storage.notify_targets.add(PHONE)

        with pytest.raises(ConflictError, match="phone"):
            await storage.notify_targets.add(PHONE, entry("notify_target.added"))
        assert len(await storage.notify_targets.all()) == 1
        assert await storage.audit_log.page(before=None, limit=5) == []

    async def test_tells_when_a_message_got_there_and_why_one_did_not(self, storage: Storage) -> None:
        added = await storage.notify_targets.add(PHONE)
        await storage.notify_targets.note(added.id, NOW, "it was refused")
        (failed,) = await storage.notify_targets.all()
        await storage.notify_targets.note(added.id, LATER, "")
        (sent,) = await storage.notify_targets.all()

        assert (failed.failed_at, failed.sent_at, failed.error) == (NOW, None, "it was refused")
        assert (sent.failed_at, sent.sent_at, sent.error) == (NOW, LATER, "")

    async def test_is_removed_once(self, storage: Storage) -> None:
        added = await storage.notify_targets.add(PHONE)

        assert await storage.notify_targets.remove(added.id, entry("notify_target.removed"))
        assert not await storage.notify_targets.remove(added.id, entry("notify_target.removed"))
        assert await storage.notify_targets.all() == []
        assert len(await storage.audit_log.page(before=None, limit=5)) == 1


class ToldNoticesContract:
    """What operators were told last: of several processes, one tells it."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock(NOW)

    SINCE = NOW - timedelta(minutes=30)

    async def test_each_is_the_first_askers_to_tell(self, storage: Storage) -> None:
        dead, full = notices.proxy_dead("eu", NOW, 3), notices.disk_full(NOW)

        assert await storage.told_notices.claim([dead], NOW, self.SINCE) == {}
        assert await storage.told_notices.claim([dead, full], LATER, self.SINCE) == {
            dead.about: LastTold("proxy.dead", NOW)
        }
        assert set(await storage.told_notices.claim([full], LATER, self.SINCE)) == {full.about}

    async def test_nothing_is_told_of_a_thing_that_was_told_of_a_while_ago(self, storage: Storage) -> None:
        dead, back = notices.proxy_dead("eu", NOW, 3), notices.proxy_recovered("eu", LATER)
        await storage.told_notices.claim([dead], NOW, self.SINCE)

        refused = await storage.told_notices.claim([back], LATER, NOW - timedelta(seconds=1))
        granted = await storage.told_notices.claim([back], LATER, NOW)

        assert (refused, granted) == ({back.about: LastTold("proxy.dead", NOW)}, {})
        again = notices.proxy_dead("eu", LATER, 3)
        assert await storage.told_notices.claim([again], LATER, NOW) == {back.about: LastTold("proxy.recovered", LATER)}

    async def test_news_that_had_happened_when_it_was_told_is_not_told_again(self, storage: Storage) -> None:
        await storage.told_notices.claim([notices.disk_full(NOW)], LATER, NOW)
        echo, anew = notices.disk_full(LATER), notices.disk_full(LATER + timedelta(seconds=1))

        assert len(await storage.told_notices.claim([echo], LATER, LATER)) == 1
        assert await storage.told_notices.claim([anew], LATER + timedelta(minutes=1), LATER) == {}


class WebhooksContract:
    """Webhooks."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock(NOW)

    async def test_is_kept_whole_and_noted_in_the_feed(self, storage: Storage) -> None:
        before = await storage.changes.latest()
        added = await storage.webhooks.add(SHOP, entry("webhook.added"))

        assert await storage.webhooks.all() == [replace(SHOP, id=added.id)]
        assert [(one.what, one.id) for one in await storage.changes.since(before)] == [("webhook", str(added.id))]
        assert [one.subject for one in await storage.audit_log.page(before=None, limit=5)] == [str(added.id)]

    async def test_no_two_have_one_name(self, storage: Storage) -> None:
        await storage.webhooks.add(SHOP)

        with pytest.raises(ConflictError, match="shop"):
            await storage.webhooks.add(SHOP)

    async def test_switched_off_gives_up_what_waits_and_switched_on_has_never_failed(self, storage: Storage) -> None:
        shop = await storage.webhooks.add(SHOP)
        await storage.deliveries.add([delivery(shop.id)])
        (claimed,) = await storage.deliveries.claim(NOW, LATER, 1)
        await storage.deliveries.save(replace(claimed, attempts=1, due_at=LATER, error="no"), NOW)

        assert await storage.webhooks.switch(shop.id, LATER, "it is gone", entry("webhook.changed"))
        assert not await storage.webhooks.switch(shop.id, LATER, "again", entry("webhook.changed"))
        (off,) = await storage.webhooks.all()
        (given_up,) = await storage.deliveries.page(shop.id, before=None, limit=5)
        assert await storage.webhooks.switch(shop.id, None)
        (on,) = await storage.webhooks.all()

        assert (off.disabled_at, off.disabled_why, off.failing_since) == (LATER, "it is gone", NOW)
        assert (given_up.state, given_up.ended_at) == (DeliveryState.FAILED, LATER)
        assert (on.disabled_at, on.disabled_why, on.failing_since) == (None, "", None)
        assert len(await storage.audit_log.page(before=None, limit=5)) == 1

    async def test_what_may_change_is_saved_and_the_rest_stays(self, storage: Storage) -> None:
        shop, other = await storage.webhooks.add(SHOP), await storage.webhooks.add(replace(SHOP, name="other"))
        before = await storage.changes.latest()
        changed = replace(
            shop,
            url=Secret("https://till.example/hook"),
            shown="https://till.example",
            signing=Secret("whsec_new"),
            kinds=frozenset({NoticeKind.GENERATION_FAILED}),
            key_id=None,
        )

        stale = replace(changed, disabled_at=LATER, failing_since=NOW)
        assert await storage.webhooks.save(stale, entry("webhook.changed", str(shop.id)))
        assert not await storage.webhooks.save(replace(changed, id=99), entry("webhook.changed", "99"))
        assert await storage.webhooks.all() == [changed, other]
        assert [(one.what, one.id) for one in await storage.changes.since(before)] == [("webhook", str(shop.id))]
        assert [one.subject for one in await storage.audit_log.page(before=None, limit=5)] == [str(shop.id)]

    async def test_late_save_undoes_nothing_that_others_have_changed(self, storage: Storage) -> None:
        seen = await storage.webhooks.add(SHOP)
        now = replace(seen, url=Secret("https://till.example/hook"), key_id=7)
        assert await storage.webhooks.save(now, former=seen)
        told = await storage.changes.latest()

        with pytest.raises(ChangedMeanwhileError, match="address"):
            await storage.webhooks.save(
                replace(seen, signing=Secret("whsec_new")), entry("webhook.changed", str(seen.id)), former=seen
            )
        assert await storage.webhooks.all() == [now]
        assert await storage.changes.latest() == told
        assert list(await storage.audit_log.page(before=None, limit=5)) == []

        await storage.webhooks.switch(seen.id, LATER)  # that is a word of its own
        assert await storage.webhooks.save(replace(now, key_id=None), former=now)
        assert [(one.key_id, one.disabled_at) for one in await storage.webhooks.all()] == [(None, LATER)]

    async def test_is_removed_with_its_messages(self, storage: Storage) -> None:
        shop, other = await storage.webhooks.add(SHOP), await storage.webhooks.add(replace(SHOP, name="other"))
        await storage.deliveries.add([delivery(shop.id), delivery(other.id)])

        assert await storage.webhooks.remove(shop.id)
        assert not await storage.webhooks.remove(shop.id)
        assert [one.webhook_id for one in await storage.deliveries.page(None, before=None, limit=5)] == [other.id]


class DeliveriesContract:
    """Messages on their way to webhooks."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock(NOW)

    async def test_is_kept_whole(self, storage: Storage) -> None:
        shop = await storage.webhooks.add(SHOP)
        await storage.deliveries.add([delivery(shop.id)])

        (kept,) = await storage.deliveries.page(None, before=None, limit=5)
        assert kept == delivery(shop.id, number=kept.number)

    async def test_same_message_for_the_same_webhook_is_there_once(self, storage: Storage) -> None:
        shop, other = await storage.webhooks.add(SHOP), await storage.webhooks.add(replace(SHOP, name="other"))
        await storage.deliveries.add([delivery(shop.id), delivery(other.id)])
        await storage.deliveries.add([delivery(shop.id), delivery(shop.id, "msg_2")])

        kept = await storage.deliveries.page(None, before=None, limit=5)
        assert sorted((one.webhook_id, one.message_id) for one in kept) == [
            (shop.id, "msg_1"),
            (shop.id, "msg_2"),
            (other.id, "msg_1"),
        ]

    async def test_message_for_a_webhook_that_is_gone_is_left_out(self, storage: Storage) -> None:
        shop = await storage.webhooks.add(SHOP)
        await storage.deliveries.add([delivery(shop.id + 1), delivery(shop.id)])

        assert [one.webhook_id for one in await storage.deliveries.page(None, before=None, limit=5)] == [shop.id]

    async def test_message_for_a_webhook_that_was_switched_off_meanwhile_is_left_out(self, storage: Storage) -> None:
        shop = await storage.webhooks.add(SHOP)
        await storage.webhooks.switch(shop.id, NOW, "off")
        await storage.deliveries.add([delivery(shop.id)])

        assert await storage.deliveries.page(None, before=None, limit=5) == []

    async def test_what_is_due_is_claimed_by_one_and_comes_back_when_its_time_is_over(self, storage: Storage) -> None:
        shop = await storage.webhooks.add(SHOP)
        later = delivery(shop.id, "msg_2", due_at=LATER)
        await storage.deliveries.add([later, delivery(shop.id), delivery(shop.id, "msg_0", due_at=NOW - timedelta(1))])

        assert await storage.deliveries.next_due() == NOW - timedelta(1)
        claimed = await storage.deliveries.claim(NOW, NOW + timedelta(seconds=30), 5)
        assert [one.message_id for one in claimed] == ["msg_0", "msg_1"]
        assert await storage.deliveries.claim(NOW, LATER, 5) == []
        again = await storage.deliveries.claim(LATER, LATER + timedelta(seconds=30), 2)
        assert {one.message_id for one in again} == {"msg_0", "msg_1"}
        assert await storage.deliveries.next_due() == LATER

    async def test_busy_webhooks_are_passed_over(self, storage: Storage) -> None:
        shop, other = await storage.webhooks.add(SHOP), await storage.webhooks.add(replace(SHOP, name="other"))
        await storage.deliveries.add([delivery(shop.id), delivery(other.id, due_at=LATER)])

        assert await storage.deliveries.next_due([shop.id]) == LATER
        assert await storage.deliveries.next_due([shop.id, other.id]) is None
        assert await storage.deliveries.claim(NOW, LATER, 5, [shop.id]) == []
        assert [one.webhook_id for one in await storage.deliveries.claim(LATER, LATER, 5, [shop.id])] == [other.id]

    async def test_failure_is_remembered_from_its_first_and_forgotten_by_success(self, storage: Storage) -> None:
        shop = await storage.webhooks.add(SHOP)
        await storage.deliveries.add([delivery(shop.id)])
        (kept,) = await storage.deliveries.claim(NOW, NOW, 1)
        failed = replace(kept, attempts=1, answer=500, error="it answered 500", due_at=LATER)
        await storage.deliveries.save(failed, NOW)
        await storage.deliveries.save(replace(failed, attempts=2), LATER)
        (failing,) = await storage.webhooks.all()
        done = replace(failed, attempts=3, answer=200, error="", state=DeliveryState.DELIVERED, ended_at=LATER)
        await storage.deliveries.save(done, None)
        (well,) = await storage.webhooks.all()

        assert failing.failing_since == NOW
        assert (well.failing_since, well.delivered_at) == (None, LATER)
        assert await storage.deliveries.page(shop.id, before=None, limit=5) == [done]
        assert await storage.deliveries.next_due() is None

    async def test_what_has_ended_stays_as_it_is(self, storage: Storage) -> None:
        shop = await storage.webhooks.add(SHOP)
        await storage.deliveries.add([delivery(shop.id)])
        (kept,) = await storage.deliveries.claim(NOW, NOW, 1)
        await storage.webhooks.switch(shop.id, LATER, "off")
        await storage.deliveries.save(replace(kept, attempts=1, due_at=LATER), NOW)

        (ended,) = await storage.deliveries.page(shop.id, before=None, limit=5)
        assert ended.state is DeliveryState.FAILED

    async def test_pages_go_back_from_the_newest(self, storage: Storage) -> None:
        shop = await storage.webhooks.add(SHOP)
        await storage.deliveries.add([delivery(shop.id, f"msg_{number}") for number in range(5)])

        first = await storage.deliveries.page(shop.id, before=None, limit=2)
        rest = await storage.deliveries.page(shop.id, before=first[-1].number, limit=10)
        assert [one.message_id for one in (*first, *rest)] == ["msg_4", "msg_3", "msg_2", "msg_1", "msg_0"]

    async def test_only_what_has_ended_long_ago_is_forgotten_a_few_at_a_time(self, storage: Storage) -> None:
        shop = await storage.webhooks.add(SHOP)
        old, new = NOW - timedelta(days=8), NOW - timedelta(days=6)
        ended = [delivery(shop.id, f"old_{n}", state=DeliveryState.DELIVERED, ended_at=old) for n in range(3)]
        recent = delivery(shop.id, "new", state=DeliveryState.FAILED, ended_at=new)
        await storage.deliveries.add([*ended, recent, delivery(shop.id, "pending", at=old)])

        week = NOW - timedelta(days=7)
        assert await storage.deliveries.forget(week, 2) == 2
        assert await storage.deliveries.forget(week, 2) == 1
        kept = await storage.deliveries.page(shop.id, before=None, limit=9)
        assert {one.message_id for one in kept} == {"new", "pending"}


class EchoesContract:
    """The same news, noticed by several processes."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        return FakeClock(NOW)

    async def test_same_news_of_another_process_is_left_out(self, storage: Storage) -> None:
        shop = await storage.webhooks.add(SHOP)
        first = delivery(shop.id, "msg_1", about="proxy.dead proxy eu", news="proxy.dead")
        await storage.deliveries.add([first])
        await storage.deliveries.add(
            [
                replace(first, message_id="msg_2", at=LATER),
                replace(first, message_id="msg_3", at=LATER, news="proxy.recovered"),
                replace(first, message_id="msg_4", at=LATER, news="proxy.recovered"),
                replace(first, message_id="msg_5", at=LATER),
                replace(first, message_id="msg_6", at=LATER, about="proxy.dead proxy us"),
                replace(first, message_id="msg_7", at=LATER + ECHO),
                delivery(shop.id, "msg_8"),
                delivery(shop.id, "msg_9"),
            ]
        )

        kept = await storage.deliveries.page(shop.id, before=None, limit=20)
        assert [one.message_id for one in reversed(kept)] == [
            "msg_1", "msg_3", "msg_5", "msg_6", "msg_7", "msg_8", "msg_9",
        ]  # fmt: skip
        assert (kept[-1].about, kept[-1].news) == ("proxy.dead proxy eu", "proxy.dead")
