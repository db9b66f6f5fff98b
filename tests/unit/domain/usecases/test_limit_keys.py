"""Keys have limits of their own: by the minute, at once, and by the day of UTC."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flow2api.domain.api_key import Caller
from flow2api.domain.errors import (
    KeyConcurrencyError,
    KeyDayLimitError,
    KeyLimitError,
    NoEligibleAccountError,
    UnsupportedInputError,
)
from flow2api.domain.generation import Finished, Generation, State
from flow2api.domain.key_lines import KeyLines
from flow2api.domain.key_rules import KeyRules
from flow2api.domain.media import MediaKind
from flow2api.domain.options import Options
from flow2api.domain.ports.statistics import Figures
from flow2api.domain.statistics import Counts, Dimension, Scope
from flow2api.domain.usecases.limit_requests import Allowance, LimitRequests
from flow2api.plugins.coordination_memory import MemoryLimits
from flow2api.testing.contracts.events import until
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.coordination import FakeCoordination, Meeting
from flow2api.testing.samples import key_of
from tests.shared_file import FileCoordination
from tests.unit.domain.usecases.stage import FILM, PAINT, Stage, swap
from tests.unit.domain.usecases.test_generate import once

DAY_S = 86_400


def caller_with(key_id: int = 1, **rules: Any) -> Caller:
    return Caller(key_id=key_id, rules=KeyRules(**rules))


class Made:
    """Statistics that know what each key has made."""

    def __init__(self, made: Mapping[str | int, Counts]) -> None:
        self.made = made
        self.asked: list[range] = []

    async def of_quarters(self, quarters: range, by: Dimension | None, scope: Scope) -> Figures:
        self.asked.append(quarters)
        return self.made


class Desk:
    """Counts alone, over a clock that stands until it is moved."""

    def __init__(self, made: Mapping[str | int, Counts] | None = None, **options: Any) -> None:
        self.clock = FakeClock()
        self.running = 0
        self.statistics = Made(made or {})
        self.options = Options(**options)
        self.limits = MemoryLimits(self.clock.monotonic)
        self.limit = self.counter(self.limits)

    def counter(self, limits: Any) -> LimitRequests:
        statistics: Any = self.statistics
        return LimitRequests(
            limits,
            lambda: self.options,
            lines=KeyLines(),
            statistics=statistics,
            clock=self.clock,
            under_way=lambda _: self.running,
        )

    async def ask(self, caller: Caller, results: int = 1, *, parts: int = 1, is_begun: bool = True) -> None:
        async with self.limit.counting(caller, results=results, parts=parts) as counting:
            counting.is_begun = is_begun


def ended(desk: Desk, *, count: int = 1, results: int = 0, state: State = State.FAILED, key_id: int = 1) -> Generation:
    return Generation(
        id="gen_1",
        key_id=key_id,
        kind=MediaKind.IMAGE,
        model="paint",
        spec_name="paint",
        prompt="x",
        created_at=desk.clock.now(),
        group_id="req_1",
        door="images.generations",
        count=count,
        state=state,
        results=tuple(f"media_{number}" for number in range(results)),
    )


@pytest.mark.parametrize(
    ("option", "own", "is_limited"), [(0, None, False), (5, None, True), (5, 0, False), (0, 5, True), (5, 1, True)]
)
def test_own_number_holds_in_place_of_the_option(option: int, own: int | None, is_limited: bool) -> None:
    desk = Desk(requests_per_min=option)
    assert desk.limit.is_limited(caller_with(requests_per_min=own)) is is_limited
    assert not desk.limit.is_limited(Caller(key_id=None, rules=KeyRules(max_per_day=1)))


async def test_own_number_of_requests_a_minute_is_counted() -> None:
    desk = Desk(requests_per_min=1)
    generous = caller_with(requests_per_min=2)
    await desk.ask(generous)
    assert desk.limit.allowance(generous) == Allowance(2, 1, 60.0)
    await desk.ask(generous)

    with pytest.raises(KeyLimitError) as caught:
        await desk.ask(generous)

    assert (type(caught.value), caught.value.limit, caught.value.retry_after_s) == (KeyLimitError, 2, 60.0)
    assert desk.limit.allowance(generous) == Allowance(2, 0, 60.0)


def test_nothing_is_told_of_what_is_left_without_a_limit_or_where_others_count() -> None:
    desk = Desk()
    assert desk.limit.allowance(caller_with()) is None
    assert desk.limit.allowance(Caller(key_id=None)) is None

    shared = desk.counter(FakeCoordination().limits)
    assert shared.allowance(caller_with(requests_per_min=1)) is None
    assert shared.used_today(1) is None


async def test_so_many_run_at_once_and_no_more(stage: Stage) -> None:
    await stage.accounts(2)
    one = caller_with(max_concurrent=1)
    first = asyncio.create_task(stage.all_events(FILM, caller=one))
    await asyncio.sleep(0.1)
    assert stage.work.under_way(1) == 1

    with pytest.raises(KeyConcurrencyError, match="may have 1 generation under way at once") as caught:
        await stage.all_events(PAINT, caller=one)
    await stage.made(PAINT, caller=caller_with(2, max_concurrent=1))

    assert caught.value.retry_after_s == 10
    assert isinstance((await first)[-1], Finished)
    assert stage.work.under_way(1) == 0
    await stage.made(PAINT, caller=one)


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({"max_concurrent": 3}, "may have 3 generations at once; ask for fewer"),
        ({"max_per_day": 1}, "may have 1 result a day; ask for fewer"),
        ({"max_concurrent": 3, "max_per_day": 9}, "may have 3 generations at once and 9 results a day;"),
    ],
)
async def test_more_than_there_may_ever_be_is_refused_for_good(rules: dict[str, int], sentence: str) -> None:
    desk = Desk()
    with pytest.raises(UnsupportedInputError, match=sentence) as caught:
        await desk.ask(caller_with(**rules), 4, parts=4)
    assert caught.value.param == "n"
    await desk.ask(caller_with(max_concurrent=4, max_per_day=4), 4, parts=4)


async def test_what_is_just_being_begun_counts_as_running() -> None:
    desk, two = Desk(), caller_with(max_concurrent=2)
    async with desk.limit.counting(two, results=1, parts=1), desk.limit.counting(two, results=1, parts=1):
        with pytest.raises(KeyConcurrencyError):
            await desk.ask(two)
    await desk.ask(two, parts=2)


async def test_day_is_over_at_midnight_utc() -> None:
    desk, three = Desk(), caller_with(max_per_day=3)
    midnight = desk.clock.now().replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    left_s = (midnight - desk.clock.now()).total_seconds()
    await desk.ask(three, 2)
    assert desk.limit.used_today(1) == 2

    with pytest.raises(KeyDayLimitError, match="3 results made a day") as caught:
        await desk.ask(three, 2)

    assert caught.value.retry_after_s == pytest.approx(left_s)
    await desk.ask(three, 1)
    await desk.clock.sleep(left_s)
    assert desk.limit.used_today(1) == 0
    await desk.ask(three, 3)


async def test_what_fails_is_given_back_and_what_somebody_ends_is_not() -> None:
    desk, four = Desk(), caller_with(max_per_day=4)
    await desk.ask(four, 4)

    desk.limit.ended(ended(desk, count=4, results=4, state=State.COMPLETED))
    desk.limit.ended(ended(desk, count=4, state=State.CANCELLED))
    desk.limit.ended(ended(desk, count=4, key_id=2))
    assert desk.limit.used_today(1) == 4

    desk.limit.ended(ended(desk, count=2, results=1, state=State.COMPLETED))
    desk.limit.ended(ended(desk, count=2))
    assert desk.limit.used_today(1) == 1
    desk.limit.ended(ended(desk, count=2))
    assert desk.limit.used_today(1) == 0


async def test_what_failed_on_another_day_gives_nothing_back_today() -> None:
    desk, four = Desk(), caller_with(max_per_day=4)
    await desk.ask(four, 4)
    yesterday = ended(desk, count=4)
    await desk.clock.sleep(DAY_S)
    await desk.ask(four, 4)

    desk.limit.ended(yesterday)

    assert desk.limit.used_today(1) == 4


async def test_what_could_not_be_begun_is_given_back() -> None:
    desk, one = Desk(), caller_with(max_per_day=1)
    await desk.ask(one, is_begun=False)
    with pytest.raises(UnsupportedInputError):
        async with desk.limit.counting(one, results=1, parts=1):
            raise UnsupportedInputError("?")
    await desk.ask(one)


async def test_what_no_account_can_serve_takes_nothing_of_the_day(stage: Stage) -> None:
    one = caller_with(max_per_day=1)
    with pytest.raises(NoEligibleAccountError):
        await stage.all_events(PAINT, caller=one)
    await stage.accounts(1)

    await stage.made(PAINT, caller=one)
    with pytest.raises(KeyDayLimitError):
        await stage.all_events(PAINT, caller=one)


async def test_repeats_take_nothing_of_the_day(stage: Stage) -> None:
    await stage.accounts(1)
    for _ in range(3):
        await stage.all_events(PAINT, caller=caller_with(max_per_day=1), idempotency=once())
    assert stage.limit.used_today(1) == 1


async def test_repeat_that_was_begun_while_it_was_counted_gives_its_share_back(stage: Stage) -> None:
    await stage.accounts(1)
    ten = caller_with(max_per_day=10)
    await stage.all_events(PAINT, caller=ten, idempotency=once())
    original, calls = stage.generate._recall.earlier, []

    async def at_first_none(*args: Any) -> Any:
        calls.append(args)
        return () if len(calls) == 1 else await original(*args)

    swap(stage.generate._recall, earlier=at_first_none)
    await stage.all_events(PAINT, caller=ten, idempotency=once())

    assert len(calls) == 2
    assert stage.limit.used_today(1) == 1


async def test_day_goes_on_after_a_restart_with_what_was_made_and_ended_by_somebody() -> None:
    desk = Desk({1: Counts(images=2, videos=1, cancelled=1, errors=7), 2: Counts(images=5)})
    keys = [
        replace(key_of("a"), id=1, rules=KeyRules(max_per_day=5)),
        replace(key_of("b"), id=2),
        replace(key_of("c"), id=3, rules=KeyRules(max_per_day=5)),
    ]
    for _ in range(2):
        await desk.limit.follow(keys)

    assert [desk.limit.used_today(one) for one in (1, 2, 3)] == [4, 0, 0]
    first = desk.statistics.asked[0]
    assert first.start * 900 == desk.clock.now().timestamp() // DAY_S * DAY_S
    assert first.stop * 900 > desk.clock.now().timestamp()
    await desk.ask(caller_with(max_per_day=5))
    with pytest.raises(KeyDayLimitError):
        await desk.ask(caller_with(max_per_day=5))


async def test_what_was_made_may_be_more_than_a_limit_that_was_set_later() -> None:
    desk = Desk({1: Counts(images=50)})
    await desk.limit.follow([replace(key_of("a"), id=1, rules=KeyRules(max_per_day=5))])

    assert desk.limit.used_today(1) == 50
    with pytest.raises(KeyDayLimitError):
        await desk.ask(caller_with(max_per_day=5))


async def test_nothing_is_read_where_no_key_needs_it_or_others_know() -> None:
    desk = Desk()
    await desk.limit.follow(
        [key_of("a"), replace(key_of("b"), rules=KeyRules(max_per_day=1), revoked_at=desk.clock.now())]
    )
    await desk.counter(FakeCoordination().limits).follow([replace(key_of("a"), rules=KeyRules(max_per_day=1))])
    assert desk.statistics.asked == []


async def test_processes_that_share_it_count_a_day_together() -> None:
    here = FakeCoordination()
    desk = Desk()
    counters = [desk.counter(limits) for limits in (here.limits, FakeCoordination(here.meeting).limits)]
    one = caller_with(max_per_day=2)
    for limit in counters:
        async with limit.counting(one, results=1, parts=1) as counting:
            counting.is_begun = True

    for limit in counters:
        with pytest.raises(KeyDayLimitError):
            async with limit.counting(one, results=1, parts=1):
                pass


@settings(max_examples=60, deadline=None)
@given(
    per_day=st.integers(0, 6),
    per_min=st.integers(0, 4),
    at_once=st.integers(0, 3),
    steps=st.lists(
        st.tuples(st.integers(1, 4), st.floats(0, 40_000), st.integers(0, 4), st.booleans()), min_size=1, max_size=25
    ),
)
def test_no_key_ever_gets_more_than_its_limits(
    per_day: int, per_min: int, at_once: int, steps: list[tuple[int, float, int, bool]]
) -> None:
    """Whatever is asked, fails, goes on running or is waited for: what was granted stays within each limit."""

    async def play() -> None:
        desk = Desk()
        rules = caller_with(max_per_day=per_day, requests_per_min=per_min, max_concurrent=at_once)
        by_day: dict[str, int] = {}
        begun: list[float] = []
        for results, pause_s, running, fails in steps:
            await desk.clock.sleep(pause_s)
            desk.running = running
            today = f"{desk.clock.now():%Y-%m-%d}"
            try:
                await desk.ask(rules, results)
            except (KeyLimitError, UnsupportedInputError):
                continue
            assert not at_once or running + 1 <= at_once
            begun.append(desk.clock.monotonic())
            if fails:
                desk.limit.ended(ended(desk, count=results))
            else:
                by_day[today] = by_day.get(today, 0) + results
            assert not per_day or by_day.get(today, 0) <= per_day
            assert not per_day or desk.limit.used_today(1) == by_day.get(today, 0)
        if per_min:
            # Windows begin with their first request, so any span of a minute touches two of them at most.
            for start in begun:
                assert sum(start <= at < start + 60 for at in begun) <= 2 * per_min

    asyncio.run(play())


class SharedDesks:
    """Two processes that count together, and what they have counted."""

    def __init__(self, coordination: Callable[[], Any] | None = None) -> None:
        self.meeting = Meeting()
        self.desk = Desk()
        make = coordination or (lambda: FakeCoordination(self.meeting))
        self.here, self.there = (self.desk.counter(make().limits) for _ in range(2))

    async def ask(self, limit: LimitRequests, caller: Caller, results: int = 1, *, is_begun: bool = True) -> None:
        async with limit.counting(caller, results=results, parts=1) as counting:
            counting.is_begun = is_begun


@pytest.fixture(params=["fake", "file"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> SharedDesks:
    if request.param == "fake":
        return SharedDesks()
    return SharedDesks(lambda: FileCoordination(tmp_path / "meeting.db"))


async def test_what_failed_is_given_back_to_all_that_count_along(shared: SharedDesks) -> None:
    three = caller_with(max_per_day=3)
    await shared.ask(shared.here, three, 3)
    with pytest.raises(KeyDayLimitError):
        await shared.ask(shared.there, three)

    shared.here.ended(ended(shared.desk, count=3, results=1, state=State.COMPLETED))
    shared.here.ended(ended(shared.desk, count=1, state=State.CANCELLED))
    shared.here.ended(ended(shared.desk, count=1, key_id=2))
    await shared.here.settle()

    await shared.ask(shared.there, three, 2)
    with pytest.raises(KeyDayLimitError):
        await shared.ask(shared.here, three)


async def test_what_could_not_be_begun_is_given_back_to_all_that_count_along(shared: SharedDesks) -> None:
    one = caller_with(max_per_day=1)
    await shared.ask(shared.here, one, is_begun=False)
    with pytest.raises(UnsupportedInputError):
        async with shared.there.counting(caller_with(2, max_per_day=1), results=1, parts=1):
            raise UnsupportedInputError("?")

    await shared.here.settle()
    await shared.there.settle()

    await shared.ask(shared.there, one)
    await shared.ask(shared.here, caller_with(2, max_per_day=1))


async def test_what_ends_in_another_process_than_began_it_is_given_back_there(shared: SharedDesks) -> None:
    one = caller_with(max_per_day=1)
    await shared.ask(shared.here, one)
    await shared.there.follow([replace(key_of("a"), id=1, rules=one.rules), replace(key_of("b"), id=2)])

    shared.there.ended(ended(shared.desk))
    await shared.there.settle()

    await shared.ask(shared.here, one)


async def test_what_is_owed_is_given_back_in_the_background() -> None:
    shared, one = SharedDesks(), caller_with(max_per_day=1)
    running = asyncio.create_task(shared.here.run())
    for _ in range(3):
        await shared.ask(shared.here, one, is_begun=False)
        await until(lambda: [used for _, used in shared.meeting.windows.values()] == [0])
    running.cancel()

    assert shared.meeting.calls["refund"] == 3


async def test_one_that_cannot_be_given_back_keeps_nothing_from_the_others() -> None:
    class FailsOnce(FakeCoordination):
        async def refund(self, subject: str, amount: int) -> None:
            if not self.meeting.calls["refund"]:
                self.meeting.calls["refund"] += 1
                raise ConnectionError("gone")
            await super().refund(subject, amount)

    meeting = Meeting()
    shared = SharedDesks(lambda: FailsOnce(meeting))
    first, second = caller_with(1, max_per_day=1), caller_with(2, max_per_day=1)
    for caller in (first, second):
        await shared.ask(shared.here, caller, is_begun=False)

    await shared.here.settle()

    await shared.ask(shared.there, second)
    with pytest.raises(KeyDayLimitError):
        await shared.ask(shared.there, first)


async def test_what_cannot_be_given_back_stays_counted_and_is_not_tried_twice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shared, one = SharedDesks(), caller_with(max_per_day=1)
    await shared.ask(shared.here, one, is_begun=False)
    shared.meeting.fault = ConnectionError("gone")
    await shared.here.settle()
    shared.meeting.fault = None
    await shared.here.settle()

    with pytest.raises(KeyDayLimitError):
        await shared.ask(shared.there, one)
    assert [record.message for record in caplog.records] == [
        "what failed was not given back to its keys, whose day counts it"
    ]


async def test_nothing_is_given_back_to_limits_that_cannot_take_it() -> None:
    class Plain:
        spend = FakeCoordination.spend

        def __init__(self) -> None:
            self.meeting = Meeting()

    limit, one = Desk().counter(Plain()), caller_with(max_per_day=1)
    async with limit.counting(one, results=1, parts=1):
        pass
    await limit.settle()

    with pytest.raises(KeyDayLimitError):
        async with limit.counting(one, results=1, parts=1):
            pass


async def test_what_was_begun_before_a_restart_gives_nothing_back_that_was_not_counted() -> None:
    desk, two = Desk(), caller_with(max_per_day=2)
    before = replace(ended(desk), created_at=desk.clock.now() - timedelta(seconds=1))
    await desk.ask(two)

    desk.limit.ended(before)

    assert desk.limit.used_today(1) == 1


def in_line(key_id: int, **rules: Any) -> Caller:
    """A key that took the place of key 1, or of one that did."""
    return Caller(key_id=key_id, rules=KeyRules(**rules), first_id=1)


async def test_keys_of_a_line_have_one_day_together() -> None:
    desk = Desk()
    await desk.ask(caller_with(max_per_day=3), 2)

    with pytest.raises(KeyDayLimitError):
        await desk.ask(in_line(2, max_per_day=3), 2)
    await desk.ask(in_line(2, max_per_day=3))
    with pytest.raises(KeyDayLimitError):
        await desk.ask(caller_with(max_per_day=3))
    await desk.ask(in_line(3, max_per_day=4))
    await desk.ask(caller_with(4, max_per_day=1))

    assert (desk.limit.used_today(1), desk.limit.used_today(4)) == (4, 1)
    desk.limit.ended(ended(desk, key_id=3))
    assert desk.limit.used_today(1) == 3


async def test_keys_of_a_line_have_one_minute_together() -> None:
    desk = Desk(requests_per_min=2)
    await desk.ask(caller_with())
    assert desk.limit.allowance(in_line(2)) == Allowance(2, 1, 60.0)
    await desk.ask(in_line(2))

    for one in (caller_with(), in_line(2), in_line(3)):
        with pytest.raises(KeyLimitError):
            await desk.ask(one)
    await desk.ask(caller_with(4))


async def test_keys_of_a_line_run_so_many_at_once_together(stage: Stage) -> None:
    await stage.accounts(2)
    rules = KeyRules(max_concurrent=1)
    line = [replace(key_of("a"), id=1, rules=rules), replace(key_of("b"), id=2, rules=rules, first_id=1)]
    await stage.limit.follow(line)
    first = asyncio.create_task(stage.all_events(FILM, caller=caller_with(max_concurrent=1)))
    await asyncio.sleep(0.1)

    with pytest.raises(KeyConcurrencyError):
        await stage.all_events(PAINT, caller=in_line(2, max_concurrent=1))
    await stage.made(PAINT, caller=caller_with(3, max_concurrent=1))

    await first
    await stage.made(PAINT, caller=in_line(2, max_concurrent=1))


async def test_day_of_a_line_goes_on_after_a_restart_with_what_revoked_keys_of_it_have_made() -> None:
    desk = Desk({1: Counts(images=2), 2: Counts(videos=1), 3: Counts(images=1), 4: Counts(images=9)})
    rules = KeyRules(max_per_day=5)
    await desk.limit.follow(
        [
            replace(key_of("a"), id=1, rules=rules, revoked_at=desk.clock.now()),
            replace(key_of("b"), id=2, rules=rules, first_id=1),
            replace(key_of("c"), id=3, rules=rules, first_id=1),
            replace(key_of("d"), id=4),
        ]
    )

    assert (desk.limit.used_today(1), desk.limit.used_today(4)) == (4, 0)
    with pytest.raises(KeyDayLimitError):
        await desk.ask(in_line(3, max_per_day=5), 2)
