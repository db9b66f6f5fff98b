"""What a coordination promises of its limits."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from flow2api.domain.ports.coordination import Limits, LimitsInMemory, RefundsUses

WINDOW_S = 0.4
LONG_S = 600.0


class LimitsContract:
    """Everything that limits promise: subclass it, and define the fixture ``limits``, of which nothing was used.

    The fixture ``pass_time`` lets seconds pass for them; it sleeps unless you override it.
    """

    @pytest.fixture
    def pass_time(self) -> Callable[[float], Awaitable[None]]:
        return asyncio.sleep

    async def test_counts_up_to_the_limit_and_no_further(self, limits: Limits) -> None:
        assert [await limits.spend("a", 1, 3, LONG_S) for _ in range(3)] == [None] * 3
        assert await limits.spend("a", 1, 3, LONG_S) is not None
        assert await limits.spend("a", 1, 3, LONG_S) is not None

    async def test_tells_how_long_the_window_lasts(self, limits: Limits) -> None:
        assert await limits.spend("a", 1, 1, LONG_S) is None
        left_s = await limits.spend("a", 1, 1, LONG_S)

        assert left_s is not None
        assert LONG_S - 60 < left_s <= LONG_S

    async def test_counts_each_subject_for_itself(self, limits: Limits) -> None:
        assert await limits.spend("key 1", 1, 1, LONG_S) is None
        assert await limits.spend("key 11", 1, 1, LONG_S) is None
        assert await limits.spend("x" * 200, 1, 1, LONG_S) is None
        assert await limits.spend("key 1", 1, 1, LONG_S) is not None

    async def test_several_count_together_or_not_at_all(self, limits: Limits) -> None:
        assert await limits.spend("a", 3, 4, LONG_S) is None
        assert await limits.spend("a", 2, 4, LONG_S) is not None
        assert await limits.spend("a", 1, 4, LONG_S) is None
        assert await limits.spend("a", 1, 4, LONG_S) is not None

    async def test_limit_that_has_changed_holds_at_once(self, limits: Limits) -> None:
        assert await limits.spend("a", 2, 2, LONG_S) is None
        assert await limits.spend("a", 1, 3, LONG_S) is None
        assert await limits.spend("a", 1, 2, LONG_S) is not None

    async def test_more_than_the_limit_is_never_to_be_had(self, limits: Limits) -> None:
        left_s = await limits.spend("a", 3, 2, LONG_S)

        assert left_s is not None
        assert left_s > 0
        assert await limits.spend("a", 2, 2, LONG_S) is None

    async def test_counting_begins_anew_when_the_window_is_over(
        self, limits: Limits, pass_time: Callable[[float], Awaitable[None]]
    ) -> None:
        assert await limits.spend("a", 2, 2, WINDOW_S) is None
        assert await limits.spend("b", 1, 1, LONG_S) is None
        await pass_time(WINDOW_S + 0.1)

        assert await limits.spend("a", 2, 2, LONG_S) is None
        assert await limits.spend("a", 1, 2, LONG_S) is not None
        assert await limits.spend("b", 1, 1, LONG_S) is not None

    async def test_what_is_refused_does_not_make_the_window_longer(
        self, limits: Limits, pass_time: Callable[[float], Awaitable[None]]
    ) -> None:
        for window_s in (WINDOW_S, 5 * WINDOW_S, 25 * WINDOW_S):
            subject = f"in {window_s} s"
            assert await limits.spend(subject, 1, 1, window_s) is None
            await pass_time(window_s / 2)
            if await limits.spend(subject, 1, 1, window_s) is None:
                continue  # the machine stood still, and the window was over

            await pass_time(window_s / 2 + 0.1)
            assert await limits.spend(subject, 1, 1, LONG_S) is None
            return
        raise AssertionError("what was used up can be had before the window is over")

    async def test_many_at_once_use_no_more_than_the_limit(self, limits: Limits) -> None:
        answers = await asyncio.gather(*(limits.spend("a", 1, 7, LONG_S) for _ in range(40)))

        assert answers.count(None) == 7

    async def test_what_is_counted_at_once_counts_with_the_rest(self, limits: Limits) -> None:
        if not isinstance(limits, LimitsInMemory):
            return
        assert limits.spend_now("a", 1, 2, LONG_S) is None
        assert await limits.spend("a", 1, 2, LONG_S) is None

        assert limits.spend_now("a", 1, 2, LONG_S) is not None

    async def test_what_is_refunded_can_be_used_again_and_no_more(self, limits: Limits) -> None:
        if not isinstance(limits, RefundsUses):
            return
        assert await limits.spend("a", 3, 3, LONG_S) is None
        assert await limits.spend("b", 1, 1, LONG_S) is None

        await limits.refund("a", 1)
        assert await limits.spend("a", 2, 3, LONG_S) is not None
        assert await limits.spend("a", 1, 3, LONG_S) is None

        await limits.refund("a", 99)
        assert await limits.spend("a", 4, 3, LONG_S) is not None
        assert await limits.spend("a", 3, 3, LONG_S) is None
        assert await limits.spend("b", 1, 1, LONG_S) is not None

    async def test_refund_begins_no_window_and_makes_none_longer(
        self, limits: Limits, pass_time: Callable[[float], Awaitable[None]]
    ) -> None:
        if not isinstance(limits, RefundsUses):
            return
        await limits.refund("never used", 5)
        assert await limits.spend("never used", 2, 1, LONG_S) is not None
        assert await limits.spend("a", 1, 1, WINDOW_S) is None
        await pass_time(WINDOW_S / 2)
        await limits.refund("a", 1)
        await pass_time(WINDOW_S / 2 + 0.1)

        await limits.refund("a", 1)
        assert await limits.spend("a", 1, 1, LONG_S) is None
        assert await limits.spend("a", 1, 1, LONG_S) is not None
