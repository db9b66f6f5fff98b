"""Pages, new lines and whole files of the request log."""

import asyncio
import json
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import LogEntry
from flow2api.domain.request_log import LogFilter, position_of
from flow2api.domain.usecases.read_request_log import LARGEST_PAGE, LOOK_AGAIN_S, ReadRequestLog
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.storage import FakeStorage

ENTRY = LogEntry(START, "req", 1, "images", "paint", 7, "gen", "completed", None, 12, MediaKind.IMAGE, body="{}")


class Desk:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.storage = FakeStorage(self.clock)
        self.read = ReadRequestLog(self.storage.request_log, self.clock)

    def note(self, count: int, **changes: object) -> None:
        for number in range(count):
            self.storage.journal.note(replace(ENTRY, at=START + timedelta(seconds=number), **changes))  # type: ignore[arg-type]


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_page_knows_whether_there_are_more(desk: Desk) -> None:
    desk.note(5)

    first = await desk.read.page(LogFilter(), limit=3)
    second = await desk.read.page(LogFilter(), before=position_of(first.items[-1]), limit=3)

    assert ([line.number for line in first.items], first.has_more) == ([5, 4, 3], True)
    assert ([line.number for line in second.items], second.has_more) == ([2, 1], False)


@pytest.mark.parametrize(("limit", "lines"), [(-3, 1), (0, 1), (10_000, LARGEST_PAGE)])
async def test_page_is_neither_empty_nor_endless(desk: Desk, limit: int, lines: int) -> None:
    desk.note(LARGEST_PAGE + 1)

    assert len((await desk.read.page(LogFilter(), limit=limit)).items) == lines


@pytest.mark.parametrize(
    ("wanted", "param"),
    [
        (LogFilter(state="broken"), "state"),
        (LogFilter(since=START, until=START), "until"),
        (LogFilter(text="x" * 101), "text"),
    ],
)
async def test_filter_that_cannot_be_is_refused(desk: Desk, wanted: LogFilter, param: str) -> None:
    with pytest.raises(UnsupportedInputError) as refused:
        await desk.read.page(wanted)
    assert refused.value.param == param


async def test_blank_around_an_id_does_not_matter(desk: Desk) -> None:
    desk.note(1)

    assert len((await desk.read.page(LogFilter(text=" req \n"))).items) == 1
    assert len((await desk.read.page(LogFilter(text="  "))).items) == 1


async def test_new_lines_come_as_they_are_written(desk: Desk) -> None:
    desk.note(3)
    async with aclosing(desk.read.follow(LogFilter(model="film"))) as lines:
        sleep = desk.clock.sleep

        async def written_meanwhile(seconds: float) -> None:
            await sleep(seconds)
            desk.note(1)
            desk.note(1, model="film")

        desk.clock.sleep = written_meanwhile  # type: ignore[method-assign]

        assert [(await anext(lines)).number for _ in range(2)] == [5, 7]
        assert desk.clock.slept == [LOOK_AGAIN_S] * 2


async def test_new_lines_come_after_the_log_was_emptied(desk: Desk) -> None:
    desk.note(3)
    async with aclosing(desk.read.follow(LogFilter())) as lines:
        sleep = desk.clock.sleep

        async def emptied_meanwhile(seconds: float) -> None:
            await sleep(seconds)
            if not desk.clock.slept[1:]:
                desk.storage.tables.records.lines.clear()
                desk.storage.tables.records.last = 0
                desk.note(1, model="film")

        desk.clock.sleep = emptied_meanwhile  # type: ignore[method-assign]

        assert (await anext(lines)).model == "film"


async def test_whole_log_is_a_file_in_either_form(desk: Desk) -> None:
    desk.note(LARGEST_PAGE + 2)

    as_lines = "".join([piece async for piece in desk.read.export(LogFilter(), "jsonl")]).splitlines()
    as_table = "".join([piece async for piece in desk.read.export(LogFilter(), "csv")]).splitlines()

    assert [json.loads(line)["number"] for line in as_lines] == list(range(LARGEST_PAGE + 2, 0, -1))
    assert "body" not in json.loads(as_lines[0])
    assert len(as_table) == LARGEST_PAGE + 3


async def test_one_line_has_its_body(desk: Desk) -> None:
    desk.note(1)

    line = await desk.read.get(1)

    assert line is not None
    assert line.body == "{}"
    assert await desk.read.get(2) is None


async def test_follower_of_a_crowd_of_lines_reads_on_without_a_pause(desk: Desk) -> None:
    async with aclosing(desk.read.follow(LogFilter())) as lines:
        first = asyncio.ensure_future(anext(lines))
        await asyncio.sleep(0)
        desk.note(LARGEST_PAGE + 1)
        assert (await first).number == 1
        slept = len(desk.clock.slept)
        for _ in range(LARGEST_PAGE):
            await anext(lines)
        assert len(desk.clock.slept) == slept
