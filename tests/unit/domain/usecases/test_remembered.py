"""Answers that are made once for all who ask within a moment."""

import asyncio

import pytest

from flow2api.domain.usecases.remembered import Remembered
from flow2api.testing.fakes.clock import FakeClock


class Oracle:
    """Answers with how often it was asked, and takes its time."""

    def __init__(self, clock: FakeClock, takes_s: float = 0.0) -> None:
        self.clock, self.takes_s, self.asked = clock, takes_s, 0

    async def __call__(self, question: str) -> str:
        self.asked += 1
        await self.clock.sleep(self.takes_s)
        return f"{question}{self.asked}"


async def test_an_answer_is_given_out_again_while_it_is_fresh() -> None:
    clock = FakeClock()
    oracle = Oracle(clock)
    remembered = Remembered[str, str](oracle, clock, fresh_s=2.0)
    assert [await remembered("a"), await remembered("a"), await remembered("b")] == ["a1", "a1", "b2"]
    await clock.sleep(2.0)
    assert await remembered("a") == "a3"


async def test_who_asks_meanwhile_waits_for_the_same_answer() -> None:
    clock = FakeClock()
    oracle = Oracle(clock)
    remembered = Remembered[str, str](oracle, clock)
    assert await asyncio.gather(*(remembered("a") for _ in range(5))) == ["a1"] * 5


async def test_what_takes_long_is_good_for_longer() -> None:
    clock = FakeClock()
    oracle = Oracle(clock, takes_s=1.0)
    remembered = Remembered[str, str](oracle, clock)
    await remembered("a")
    await clock.sleep(49.0)
    assert await remembered("a") == "a1"
    await clock.sleep(3.0)
    assert await remembered("a") == "a2"


async def test_a_failure_is_not_kept() -> None:
    clock = FakeClock()
    asked = []

    async def fails(question: str) -> str:
        asked.append(question)
        raise OSError(question)

    remembered = Remembered[str, str](fails, clock)
    for _ in range(2):
        with pytest.raises(OSError, match="a"):
            await remembered("a")
    assert len(asked) == 2


async def test_no_more_answers_are_kept_than_are_worth_it() -> None:
    clock = FakeClock()
    oracle = Oracle(clock)
    remembered = Remembered[str, str](oracle, clock)
    for number in range(65):
        await remembered(str(number))
    assert await remembered("64") == "6465"
    assert await remembered("0") == "066"
