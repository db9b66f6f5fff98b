"""Messages to webhooks: written down first, tried until they get through, given up in the end."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from flow2api.domain import notices
from flow2api.domain.errors import ConfigurationError, StorageError
from flow2api.domain.generation import State
from flow2api.domain.notices import Notice, NoticeKind
from flow2api.domain.options import Options
from flow2api.domain.secret import Secret
from flow2api.domain.usecases import send_webhooks
from flow2api.domain.usecases.send_webhooks import AT_ONCE, TO_ONE_AT_ONCE, SendWebhooks
from flow2api.domain.webhook import ECHO, PAUSES, Delivery, DeliveryState, Receipt, Webhook
from flow2api.testing.fakes.notify import FakeCourier, FakeDeliveries, FakeWebhooks
from flow2api.testing.fakes.tables import Tables
from flow2api.testing.fakes.virtual_time import VirtualClock, settle
from flow2api.testing.samples import whole_generation
from tests.unit.domain.usecases.stage import CountingIds

NO = Receipt(answer=500, error="it answered 500")
A_WEEK_S = 7 * 24 * 3600.0


class SlowCourier(FakeCourier):
    """Takes its time.

    Attributes:
        seconds: How long each call takes, by the webhook's name.
        peak: The most calls that ran at once, by the webhook's name, and of all together under ``""``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.seconds: dict[str, float] = {}
        self.now: dict[str, int] = {}
        self.peak: dict[str, int] = {}

    async def carry(self, webhook: Webhook, message_id: str, at: Any, content: bytes) -> Receipt:
        for name in (webhook.name, ""):
            self.now[name] = self.now.get(name, 0) + 1
            self.peak[name] = max(self.peak.get(name, 0), self.now[name])
        try:
            await asyncio.sleep(self.seconds.get(webhook.name, 0))
            return await super().carry(webhook, message_id, at, content)
        finally:
            for name in (webhook.name, ""):
                self.now[name] -= 1


class Scene:
    """One process over tables that may be shared with others."""

    def __init__(self, tables: Tables | None = None, **options: Any) -> None:
        self.clock = VirtualClock()
        self.tables = tables or Tables(self.clock.now)
        self.webhooks = FakeWebhooks(self.tables)
        self.deliveries = FakeDeliveries(self.tables)
        self.courier = SlowCourier()
        self.told: list[Notice] = []
        given = Options(**options)
        self.ids = CountingIds()
        self.send = SendWebhooks(
            self.webhooks,
            self.deliveries,
            self.courier,
            lambda media_id: f"https://media.example/{media_id}?at={self.clock.monotonic():.0f}",
            self.told.append,
            self.ids,
            self.clock,
            lambda: given,
            Random(1),
        )

    async def webhook(self, name: str = "shop", *kinds: NoticeKind, **fields: Any) -> Webhook:
        made = Webhook(
            id=0,
            name=name,
            url=Secret(f"https://{name}.example/"),
            shown=f"https://{name}.example",
            signing=Secret("whsec_x"),
            kinds=frozenset(kinds or NoticeKind),
            created_at=self.clock.now(),
            **fields,
        )
        webhook = await self.webhooks.add(made)
        await self.send.load()
        return webhook

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Scene"]:
        task = asyncio.create_task(self.send.run())
        yield self
        task.cancel()
        await asyncio.wait([task])

    async def all(self) -> list[Delivery]:
        return list(await self.deliveries.page(None, before=None, limit=10_000))

    def finish(self, number: int = 1) -> None:
        ended = replace(whole_generation(), id=f"video_{number}", state=State.COMPLETED, fault=None, ended_at=None)
        self.send.take(notices.generation_ended(ended, self.clock.now()))


async def test_message_says_what_happened_with_fresh_links_and_no_prompt() -> None:
    async with Scene().running() as scene:
        await scene.webhook()
        await asyncio.sleep(100)
        scene.finish()
        await asyncio.sleep(1)
        ((_, message_id, content),) = scene.courier.carried
        message = json.loads(content)
        assert message_id.startswith("msg_")
        assert (message["type"], message["timestamp"]) == ("generation.completed", "2026-11-23T12:01:40+00:00")
        assert message["data"]["results"] == [
            {"id": "med_3", "url": "https://media.example/med_3?at=100"},
            {"id": "med_4", "url": "https://media.example/med_4?at=100"},
        ]
        assert whole_generation().prompt not in content.decode()
        (kept,) = await scene.all()
        assert (kept.state, kept.attempts, kept.answer) == (DeliveryState.DELIVERED, 1, 204)
        assert "media.example" not in kept.content


async def test_only_who_wants_it_is_told_all_under_one_id() -> None:
    async with Scene().running() as scene:
        await scene.webhook("all")
        await scene.webhook("mine", key_id=3)
        await scene.webhook("others", key_id=4)
        await scene.webhook("failures", NoticeKind.GENERATION_FAILED)
        await scene.webhook("off", disabled_at=scene.clock.now())
        scene.finish()
        await asyncio.sleep(1)
        assert sorted(name for name, _, _ in scene.courier.carried) == ["all", "mine"]
        assert len({message_id for _, message_id, _ in scene.courier.carried}) == 1


async def test_without_webhooks_nothing_is_held_and_nothing_written() -> None:
    async with Scene().running() as scene:
        await scene.send.load()
        for number in range(100):
            scene.finish(number)
        await asyncio.sleep(3600)
        assert scene.tables.writes <= 2  # the purge, at the start and after an hour


async def test_failed_message_is_tried_again_under_the_same_id_until_it_gets_through() -> None:
    async with Scene().running() as scene:
        await scene.webhook()
        scene.courier.receipts["shop"] = [NO, Receipt(answer=None, error="no answer came in time"), NO]
        scene.finish()
        await asyncio.sleep(1)
        (waiting,) = await scene.all()
        (failing,) = await scene.webhooks.all()
        assert (waiting.state, waiting.attempts, waiting.error) == (DeliveryState.PENDING, 1, "it answered 500")
        assert failing.failing_since == failing.created_at
        await asyncio.sleep(3600)
        (kept,) = await scene.all()
        (well,) = await scene.webhooks.all()
        assert (kept.state, kept.attempts, kept.error, kept.answer) == (DeliveryState.DELIVERED, 4, "", 204)
        assert well.failing_since is None
        assert len({message_id for _, message_id, _ in scene.courier.carried}) == 1


async def test_dead_webhook_is_switched_off_after_a_day_and_operators_are_told() -> None:
    async with Scene().running() as scene:
        await scene.webhook()
        scene.courier.receipts["shop"] = [NO] * 1000
        scene.finish(1)
        await asyncio.sleep(30 * 3600)
        scene.finish(2)
        await asyncio.sleep(10 * 3600)
        (webhook,) = await scene.webhooks.all()
        states = {one.state for one in await scene.all()}
        assert webhook.disabled_at is not None
        assert "2026-11-23 12:00" in webhook.disabled_why
        assert states == {DeliveryState.FAILED}
        assert [(one.kind, one.subject) for one in scene.told] == [(NoticeKind.WEBHOOK_DISABLED, "webhook shop")]
        tries = len(scene.courier.carried)
        scene.finish(3)
        await asyncio.sleep(A_WEEK_S)
        assert len(scene.courier.carried) == tries
        assert tries <= 2 * (len(PAUSES) + 1)


async def test_webhook_that_takes_other_messages_stays_on_when_one_is_given_up() -> None:
    async with Scene().running() as scene:
        await scene.webhook()
        scene.courier.receipts["shop"] = [NO] * 7
        scene.finish(1)
        await asyncio.sleep(25 * 3600)
        scene.finish(2)  # gets one of the refusals, and through afterwards
        await asyncio.sleep(24 * 3600)
        (webhook,) = await scene.webhooks.all()
        assert webhook.is_enabled
        assert scene.told == []


async def test_address_that_is_gone_is_switched_off_at_once() -> None:
    async with Scene().running() as scene:
        await scene.webhook()
        scene.courier.receipts["shop"] = [Receipt(answer=410, error="it answered 410", is_gone=True)]
        scene.finish()
        await asyncio.sleep(1)
        (webhook,) = await scene.webhooks.all()
        assert webhook.disabled_why == "its address answers that it is gone for good"
        assert len(scene.told) == 1


async def test_slow_webhook_leaves_room_for_the_others() -> None:
    async with Scene().running() as scene:
        for name in ("slow", "quick"):
            await scene.webhook(name)
        scene.courier.seconds["slow"] = 15.0
        for number in range(200):
            scene.finish(number)
        await asyncio.sleep(5)
        carried = [name for name, _, _ in scene.courier.carried]
        assert carried.count("quick") == 200
        assert scene.courier.peak["slow"] == TO_ONE_AT_ONCE
        assert scene.courier.peak[""] <= AT_ONCE
        await asyncio.sleep(15 * 200 / TO_ONE_AT_ONCE)
        assert [name for name, _, _ in scene.courier.carried].count("slow") == 200


async def test_what_was_written_down_goes_out_after_the_next_start() -> None:
    first = Scene()
    async with first.running():
        await first.webhook()
        first.courier.seconds["shop"] = 1000.0
        first.finish(1)
        await asyncio.sleep(1)
        first.finish(2)  # held in memory only
    assert first.courier.carried == []
    second = Scene(first.tables)
    await second.send.load()
    async with second.running():
        await asyncio.sleep(120)
        assert len({message_id for _, message_id, _ in second.courier.carried}) == 2
        assert {one.state for one in await second.all()} == {DeliveryState.DELIVERED}


async def test_two_processes_send_each_message_once() -> None:
    first = Scene()
    second = Scene(first.tables)
    await first.webhook()
    await second.send.load()
    async with first.running(), second.running():
        for number in range(100):
            first.finish(number)
        await asyncio.sleep(300)
        sent = [message_id for scene in (first, second) for _, message_id, _ in scene.courier.carried]
        assert (len(sent), len(set(sent))) == (100, 100)


async def test_database_that_refuses_delays_messages_and_loses_none() -> None:
    async with Scene().running() as scene:
        await scene.webhook()
        scene.tables.fault = StorageError("locked")
        scene.finish()
        await asyncio.sleep(60)
        assert scene.courier.carried == []
        scene.tables.fault = None
        await asyncio.sleep(60)
        assert len(scene.courier.carried) == 1


async def test_database_that_refuses_to_the_end_does_not_hold_it_up() -> None:
    async with Scene().running() as scene:
        await scene.webhook()
        scene.tables.fault = StorageError("locked")
        scene.finish()
        await asyncio.sleep(60)
        began = scene.clock.monotonic()
    assert scene.clock.monotonic() - began < 1


async def test_webhooks_that_cannot_be_read_leave_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Scene().running() as scene:
        await scene.webhook()

        async def damaged() -> Any:
            raise ConfigurationError("The secret stored there is damaged.")

        monkeypatch.setattr(scene.webhooks, "all", damaged)
        await scene.send.load()
        scene.finish()
        await asyncio.sleep(1)
        assert len(scene.courier.carried) == 1


async def test_more_than_can_be_held_is_dropped_and_said(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(send_webhooks, "HELD", 10)
    async with Scene().running() as scene:
        await scene.webhook()
        for number in range(25):
            scene.finish(number)
        await asyncio.sleep(1)
        assert len(scene.courier.carried) == 10
        assert [record.dropped for record in caplog.records if "dropped" in record.getMessage()] == [15]  # type: ignore[attr-defined]


async def test_webhook_of_another_process_is_known_when_it_is_loaded() -> None:
    async with Scene().running() as scene:
        await scene.send.load()
        await Scene(scene.tables).webhook()
        scene.finish(1)
        await scene.send.load()
        scene.finish(2)
        await asyncio.sleep(1)
        assert len(scene.courier.carried) == 1


async def test_removed_webhook_ends_quietly() -> None:
    async with Scene().running() as scene:
        shop = await scene.webhook()
        scene.courier.seconds["shop"] = 10.0
        scene.finish()
        await asyncio.sleep(1)
        await scene.webhooks.remove(shop.id)
        await scene.send.load()
        await asyncio.sleep(3600)
        assert await scene.all() == []
        assert scene.told == []


async def test_old_messages_are_forgotten_unless_they_are_kept_for_ever() -> None:
    for days, left in ((7.0, 0), (0.0, 1)):
        async with Scene(delivery_days=days).running() as scene:
            await scene.webhook()
            scene.finish()
            await asyncio.sleep(timedelta(days=6, hours=22).total_seconds())
            assert len(await scene.all()) == 1
            await asyncio.sleep(timedelta(hours=4).total_seconds())
            assert len(await scene.all()) == left


async def test_taking_a_notice_costs_microseconds() -> None:
    scene = Scene()
    await scene.webhook()
    await settle()
    notice = notices.generation_ended(replace(whole_generation(), state=State.COMPLETED), scene.clock.now())

    best = min(_taken(scene, notice, time.perf_counter) for _ in range(5))
    assert best < 200e-6


def _taken(scene: Scene, notice: Notice, now: Any) -> float:
    began = now()
    for _ in range(100):
        scene.send.take(notice)
    return float((now() - began) / 100)


async def test_change_during_a_try_is_not_undone_by_what_came_of_it() -> None:
    async with Scene().running() as scene:
        await scene.webhook()
        scene.courier.seconds["shop"] = 5
        scene.finish(1)
        await asyncio.sleep(1)
        (webhook,) = await scene.webhooks.all()
        await scene.webhooks.switch(webhook.id, scene.clock.now(), "by hand")
        await scene.webhook("other")
        await asyncio.sleep(10)
        scene.finish(2)
        await asyncio.sleep(10)

        assert [name for name, _, _ in scene.courier.carried] == ["shop", "other"]


async def test_message_that_nobody_can_carry_comes_to_an_end(caplog: pytest.LogCaptureFixture) -> None:
    async with Scene().running() as scene:
        await scene.webhook()

        async def broken(*args: object) -> Receipt:
            raise RuntimeError("canary")

        scene.courier.carry = broken  # type: ignore[assignment]
        scene.finish()
        await asyncio.sleep(A_WEEK_S)

        (kept,) = await scene.all()
        assert (kept.state, kept.attempts) == (DeliveryState.FAILED, len(PAUSES) + 1)
        assert "canary" not in kept.error
    assert "could not be carried" in caplog.text


async def test_message_under_way_at_the_end_is_tried_again_after_the_next_start() -> None:
    scene = Scene()
    async with scene.running():
        await scene.webhook()
        scene.courier.seconds["shop"] = 1000.0
        scene.finish()
        await asyncio.sleep(1)
        assert scene.courier.now["shop"] == 1
    assert scene.courier.now["shop"] == 0
    (kept,) = await scene.all()
    assert kept.state is DeliveryState.PENDING


async def test_message_of_a_removed_webhook_and_one_that_nobody_wants_go_nowhere() -> None:
    async with Scene().running() as scene:
        webhook = await scene.webhook("mine", key_id=4)
        scene.finish()
        await asyncio.sleep(1)
        assert await scene.all() == []
        other = await scene.webhook("shop")
        scene.finish()
        scene.send._known.pop(other.id)
        await asyncio.sleep(1)
        assert scene.courier.carried == []
        assert webhook.key_id == 4


async def test_what_came_of_a_message_may_stay_unwritten_once(caplog: pytest.LogCaptureFixture) -> None:
    async with Scene().running() as scene:
        await scene.webhook()
        scene.courier.seconds["shop"] = 1.0
        scene.finish()
        await asyncio.sleep(0.5)
        scene.tables.fault = StorageError("locked")
        await asyncio.sleep(1)
        scene.tables.fault = None
        assert "what came of a message to a webhook is not written: locked" in caplog.text
        await asyncio.sleep(200)
        (kept,) = await scene.all()
        assert kept.state is DeliveryState.DELIVERED


async def test_operators_webhook_hears_of_accounts_in_words() -> None:
    async with Scene().running() as scene:
        await scene.webhook()
        notice = notices.webhook_disabled("other", scene.clock.now(), "gone")
        scene.send.take(notice)
        await asyncio.sleep(1)
        ((_, _, content),) = scene.courier.carried
        assert json.loads(content)["data"]["message"] == notice.sentence


async def test_old_messages_are_forgotten_in_steps() -> None:
    async with Scene(delivery_days=1.0).running() as scene:
        webhook = await scene.webhook()
        old = Delivery(
            number=0,
            webhook_id=webhook.id,
            message_id="",
            kind="x",
            at=scene.clock.now(),
            content="{}",
            state=DeliveryState.DELIVERED,
            due_at=scene.clock.now(),
            ended_at=scene.clock.now(),
        )
        await scene.deliveries.add([replace(old, message_id=f"msg_{number}") for number in range(700)])
        await asyncio.sleep(3 * 24 * 3600)
        assert await scene.all() == []


async def test_webhook_that_somebody_else_switched_off_is_told_of_once() -> None:
    async with Scene().running() as scene:
        webhook = await scene.webhook()
        scene.courier.seconds["shop"] = 5.0
        scene.courier.receipts["shop"] = [Receipt(answer=410, error="gone", is_gone=True)]
        scene.finish()
        await asyncio.sleep(1)
        await scene.webhooks.switch(webhook.id, scene.clock.now(), "by ada")
        await asyncio.sleep(10)
        (webhook,) = await scene.webhooks.all()
        assert (webhook.disabled_why, scene.told) == ("by ada", [])


async def test_what_each_of_several_processes_notices_is_sent_by_one() -> None:
    async with Scene().running() as one, Scene(one.tables).running() as other:
        webhook = await one.webhook()
        await other.send.load()
        for _ in range(10):
            other.ids.new("msg")  # they share no numbers
        for number, process in enumerate((one, other)):
            process.send.take(notices.proxy_dead("eu-1", process.clock.now(), 3 + number))
            process.send.take(notices.webhook_disabled("gone", process.clock.now(), "410"))
            await asyncio.sleep(5)
        for process in (one, other):
            process.send.take(notices.proxy_recovered("eu-1", process.clock.now()))
        await asyncio.sleep(5)
        kinds = [kept.kind for kept in await one.all() if kept.webhook_id == webhook.id]
        assert sorted(kinds) == ["proxy.dead", "proxy.recovered", "webhook.disabled", "webhook.disabled"]


async def test_same_news_is_sent_again_when_it_is_none_of_another_process() -> None:
    async with Scene().running() as scene:
        await scene.webhook()
        for _ in range(2):
            scene.send.take(notices.disk_full(scene.clock.now()))
            await asyncio.sleep(ECHO.total_seconds())
        assert len(await scene.all()) == 2
