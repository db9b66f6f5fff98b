"""Operators hear of each thing once, not too often, and nothing that is over already."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from flow2api.domain import notices
from flow2api.domain.account import Account, RestReason
from flow2api.domain.errors import StorageError
from flow2api.domain.notices import Notice
from flow2api.domain.notification import NotifyTarget
from flow2api.domain.options import Options
from flow2api.domain.secret import Secret
from flow2api.domain.usecases import tell_operators
from flow2api.domain.usecases.tell_operators import GATHER_S, TellOperators
from flow2api.testing.fakes.notify import FakeMessenger, FakeNotifyTargets, FakeToldNotices
from flow2api.testing.fakes.tables import Tables
from flow2api.testing.fakes.virtual_time import VirtualClock

PAUSE_S, REPEAT_S = 60.0, 1800.0


class Scene:
    """One process over tables that may be shared with others."""

    def __init__(self, *names: str, tables: Tables | None = None, **options: Any) -> None:
        self.clock = VirtualClock()
        self.tables = tables or Tables(self.clock.now)
        self.targets = FakeNotifyTargets(self.tables)
        self.messenger = FakeMessenger()
        self.names = names or (() if tables else ("phone",))
        given = Options(**{"notify_pause_s": PAUSE_S, "notify_repeat_s": REPEAT_S, **options})
        self.tell = TellOperators(self.targets, FakeToldNotices(self.tables), self.messenger, self.clock, lambda: given)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Scene"]:
        for name in self.names:
            url = Secret(f"fake://{name}")
            await self.targets.add(NotifyTarget(id=0, name=name, service="Fake", url=url, created_at=self.clock.now()))
        task = asyncio.create_task(self.tell.run())
        yield self
        task.cancel()
        await asyncio.wait([task])

    @property
    def texts(self) -> list[str]:
        return [message.text for _, message in self.messenger.sent]

    def broken(self, number: int, why: str = "") -> Notice:
        return notices.account_needs_care(
            account(number).resting(RestReason.AUTH_EXPIRED, self.clock.now(), why=why), self.clock.now()
        )

    def well(self, number: int) -> Notice:
        return notices.account_recovered(account(number), self.clock.now())


def account(number: int) -> Account:
    return Account(id=number, upstream="flow", name=f"a{number}", created_at=VirtualClock().now())


async def test_first_notice_is_told_after_a_moment_with_what_comes_in_it() -> None:
    async with Scene().running() as scene:
        scene.tell.take(scene.broken(1))
        await asyncio.sleep(GATHER_S / 2)
        scene.tell.take(scene.broken(2))
        assert scene.texts == []
        await asyncio.sleep(GATHER_S)
        assert [text.count("- Account") for text in scene.texts] == [2]


async def test_ends_of_generations_are_no_business_of_theirs() -> None:
    async with Scene().running() as scene:
        scene.tell.take(
            Notice(kind=notices.NoticeKind.GENERATION_FAILED, at=scene.clock.now(), subject="x", sentence="x")
        )
        await asyncio.sleep(3600)
        assert scene.texts == []


async def test_what_is_well_again_before_anybody_was_told_is_never_told() -> None:
    async with Scene().running() as scene:
        scene.tell.take(scene.broken(1))
        scene.tell.take(scene.well(1))
        await asyncio.sleep(3600)
        assert scene.texts == []


async def test_recovery_of_what_was_told_is_told_when_its_pause_is_over() -> None:
    async with Scene().running() as scene:
        scene.tell.take(scene.broken(1))
        await asyncio.sleep(GATHER_S + 1)
        scene.tell.take(scene.well(1))
        await asyncio.sleep(REPEAT_S - 60)
        assert len(scene.texts) == 1
        await asyncio.sleep(PAUSE_S + 2 * GATHER_S)
        assert scene.texts[1:] == ["Account 1 (a1) needs no care any more."]


async def test_account_that_goes_to_and_fro_is_told_of_at_most_once_in_a_while() -> None:
    async with Scene().running() as scene:
        for _ in range(600):  # six hours
            scene.tell.take(scene.broken(1))
            await asyncio.sleep(18)
            scene.tell.take(scene.well(1))
            await asyncio.sleep(18)
        assert 1 <= len(scene.texts) <= 6 * 3600 / REPEAT_S + 1


async def test_same_news_again_is_not_told_again() -> None:
    async with Scene().running() as scene:
        for _ in range(20):
            scene.tell.take(scene.broken(1))
            await asyncio.sleep(REPEAT_S / 25)
        await asyncio.sleep(3 * REPEAT_S)
        assert len(scene.texts) == 1


async def test_other_reason_is_news() -> None:
    async with Scene().running() as scene:
        scene.tell.take(scene.broken(1))
        await asyncio.sleep(GATHER_S + 1)
        scene.tell.take(scene.broken(1, "the grant has ended"))
        await asyncio.sleep(REPEAT_S + PAUSE_S + 2 * GATHER_S)
        assert len(scene.texts) == 2


async def test_messages_keep_their_distance() -> None:
    async with Scene().running() as scene:
        for number in range(100):
            scene.tell.take(scene.broken(number))
            await asyncio.sleep(6)
        assert 8 <= len(scene.texts) <= 600 / PAUSE_S + 1
        await asyncio.sleep(PAUSE_S + GATHER_S)
        shown = " ".join(scene.texts)
        assert "more" not in shown
        assert all(f"Account {number} " in shown for number in range(100))


async def test_thousand_accounts_at_once_are_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tell_operators, "_HELD", 900)
    async with Scene().running() as scene:
        for number in range(1000):
            scene.tell.take(scene.broken(number))
        await asyncio.sleep(GATHER_S + 1)
        (text,) = scene.texts
        assert text.splitlines()[0] == "account.needs_care: 900"
        assert text.splitlines()[-1] == "100 more were too many to be listed."


async def test_target_that_fails_is_tried_again_and_keeps_no_other_from_hearing() -> None:
    async with Scene("phone", "mail").running() as scene:
        scene.messenger.errors["fake://phone"] = ["no", "no", "still no"]
        scene.tell.take(scene.broken(1))
        await asyncio.sleep(GATHER_S + 1)
        assert {url for url, _ in scene.messenger.sent} == {"fake://phone", "fake://mail"}
        await asyncio.sleep(400)
        phone, mail = await scene.targets.all()
        assert (phone.error, phone.sent_at, mail.error) == ("still no", None, "")
        assert [url for url, _ in scene.messenger.sent].count("fake://phone") == 3


async def test_database_that_refuses_delays_the_message_and_loses_none(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Scene().running() as scene:
        answer = scene.targets.all

        async def refuse() -> Any:
            raise StorageError("locked")

        monkeypatch.setattr(scene.targets, "all", refuse)
        scene.tell.take(scene.broken(1))
        await asyncio.sleep(GATHER_S + 1)
        assert scene.texts == []
        monkeypatch.setattr(scene.targets, "all", answer)
        await asyncio.sleep(PAUSE_S)
        assert len(scene.texts) == 1


async def test_slow_target_is_left_behind_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()

    async def hang(*_: object) -> str | None:
        await asyncio.sleep(1e6)
        return None

    monkeypatch.setattr(scene.messenger, "send", hang)
    async with scene.running():
        scene.tell.take(scene.broken(1))
        await asyncio.sleep(GATHER_S + 1)
        began = scene.clock.monotonic()
    assert scene.clock.monotonic() - began <= tell_operators.LAST_WORDS_S + 0.1


async def test_targets_that_hang_keep_no_more_messages_than_a_bound(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def hang(*_: object) -> str | None:
        await asyncio.sleep(1e6)
        return None

    monkeypatch.setattr(tell_operators, "_UNDER_WAY", 1)
    scene = Scene("phone", "mail")
    monkeypatch.setattr(scene.messenger, "send", hang)
    async with scene.running():
        scene.tell.take(scene.broken(1))
        await asyncio.sleep(GATHER_S + 1)
        assert "too many are on their way" in caplog.text


async def test_what_came_of_a_message_may_stay_unwritten(caplog: pytest.LogCaptureFixture) -> None:
    async with Scene().running() as scene:
        await asyncio.sleep(0)
        scene.tables.fault = StorageError("locked")
        scene.tell.take(scene.broken(1))
        await asyncio.sleep(GATHER_S + 1)
        scene.tables.fault = None
        assert len(scene.texts) == 1
        assert "what came of a message is not written: locked" in caplog.text
        assert "other processes may tell operators the same: locked" in caplog.text


async def test_message_on_its_way_at_the_end_gets_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    scene, sent = Scene(), list[str]()

    async def slow(*_: object) -> str | None:
        await asyncio.sleep(tell_operators.LAST_WORDS_S / 2)
        sent.append("it")
        return None

    monkeypatch.setattr(scene.messenger, "send", slow)
    async with scene.running():
        scene.tell.take(scene.broken(1))
        await asyncio.sleep(GATHER_S + 0.1)
        assert sent == []
    assert sent == ["it"]


async def test_while_nobody_is_to_be_told_nothing_counts_as_told() -> None:
    async with Scene(tables=Tables(VirtualClock().now)).running() as scene:
        scene.tell.take(scene.broken(1))
        await asyncio.sleep(GATHER_S + 1)
        assert (scene.texts, scene.tables.told.last) == ([], {})


class TestSeveralProcessesOnOneDatabase:
    async def test_what_each_of_them_notices_is_told_by_one(self) -> None:
        async with Scene().running() as one, Scene(tables=one.tables).running() as other:
            one.tell.take(one.broken(1))
            await asyncio.sleep(1)
            other.tell.take(other.broken(1))
            other.tell.take(other.broken(2))
            await asyncio.sleep(GATHER_S + PAUSE_S)
            assert [len(one.texts), len(other.texts)] == [1, 1]
            assert "Account 2 " in other.texts[0]
            assert "Account 1 " not in other.texts[0]

    async def test_the_end_is_told_by_one_and_when_the_pause_is_over(self) -> None:
        async with Scene().running() as one, Scene(tables=one.tables).running() as other:
            for process in (one, other):
                process.tell.take(process.broken(1))
            await asyncio.sleep(GATHER_S + 1)
            for process in (one, other):
                process.tell.take(process.well(1))
            await asyncio.sleep(REPEAT_S - 60)
            assert len(one.texts + other.texts) == 1
            await asyncio.sleep(PAUSE_S + 3 * GATHER_S)
            assert max(one.texts + other.texts) == "Account 1 (a1) needs no care any more."
            assert len(one.texts + other.texts) == 2

    async def test_one_that_notices_late_or_anew_after_a_start_holds_to_what_was_told(self) -> None:
        async with Scene().running() as one:
            one.tell.take(one.broken(1))
            await asyncio.sleep(GATHER_S + 1)
        async with Scene(tables=one.tables).running() as next_one:
            next_one.tell.take(next_one.well(1))
            await asyncio.sleep(REPEAT_S - 2 * GATHER_S)
            assert next_one.texts == []
            await asyncio.sleep(PAUSE_S + 2 * GATHER_S)
            assert next_one.texts == ["Account 1 (a1) needs no care any more."]

    async def test_without_any_pause_what_had_happened_when_it_was_told_is_not_told_twice(self) -> None:
        async with (
            Scene(notify_repeat_s=0.0).running() as one,
            Scene(tables=one.tables, notify_repeat_s=0.0).running() as other,
        ):
            one.tell.take(one.broken(1))
            await asyncio.sleep(5)
            other.tell.take(other.broken(1))
            await asyncio.sleep(3600)
            assert len(one.texts + other.texts) == 1

    async def test_what_was_left_out_is_told_with_the_next_message(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tell_operators, "_HELD", 1)
        async with Scene().running() as one, Scene(tables=one.tables).running() as other:
            one.tell.take(one.broken(1))
            await asyncio.sleep(1)
            other.tell.take(other.broken(1))
            other.tell.take(other.broken(2))
            await asyncio.sleep(GATHER_S + PAUSE_S)
            assert other.texts == []
            other.tell.take(other.broken(3))
            await asyncio.sleep(GATHER_S + PAUSE_S)
            assert other.texts[0].splitlines()[-1] == "1 more were too many to be listed."
