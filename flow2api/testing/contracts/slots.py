"""What a coordination promises of its slots."""

import asyncio

from flow2api.domain.media import MediaKind
from flow2api.domain.ports.coordination import CountsInMemory, Slots

IMAGE, VIDEO = MediaKind.IMAGE, MediaKind.VIDEO


class SlotsContract:
    """Everything that slots promise: subclass it, and define the fixture ``slots``, of which none is taken."""

    async def test_gives_no_more_than_the_limit(self, slots: Slots) -> None:
        tickets = [await slots.take(1, IMAGE, 2) for _ in range(3)]

        assert tickets[2] is None
        assert len({*tickets[:2]}) == 2

    async def test_counts_each_account_and_each_kind_for_itself(self, slots: Slots) -> None:
        assert await slots.take(1, IMAGE, 1) is not None

        assert await slots.take(2, IMAGE, 1) is not None
        assert await slots.take(1, VIDEO, 1) is not None
        assert await slots.take(1, IMAGE, 1) is None

    async def test_without_a_limit_there_is_always_one(self, slots: Slots) -> None:
        assert None not in [await slots.take(1, IMAGE, None) for _ in range(50)]
        assert await slots.take(1, IMAGE, 50) is None

    async def test_nothing_is_left_when_there_are_none(self, slots: Slots) -> None:
        assert await slots.take(1, IMAGE, 0) is None

    async def test_giving_back_twice_frees_one(self, slots: Slots) -> None:
        first = await slots.take(1, IMAGE, 1)
        assert first is not None
        await slots.give_back(first)
        await slots.give_back(first)

        assert await slots.take(1, IMAGE, 1) is not None
        assert await slots.take(1, IMAGE, 1) is None

    async def test_ticket_that_is_none_does_no_harm(self, slots: Slots) -> None:
        assert await slots.take(1, IMAGE, 1) is not None
        await slots.give_back("no ticket of these slots")

        assert await slots.take(1, IMAGE, 1) is None

    async def test_many_at_once_get_no_more_than_the_limit(self, slots: Slots) -> None:
        tickets = await asyncio.gather(*(slots.take(1, VIDEO, 7) for _ in range(40)))

        assert len({ticket for ticket in tickets if ticket is not None}) == 7

    async def test_what_is_taken_at_once_counts_with_the_rest(self, slots: Slots) -> None:
        if not isinstance(slots, CountsInMemory):
            return
        ticket = slots.take_now(1, IMAGE, 2)
        assert ticket is not None

        assert await slots.take(1, IMAGE, 2) is not None
        assert slots.take_now(1, IMAGE, 2) is None
        slots.give_back_now(ticket)
        assert await slots.take(1, IMAGE, 2) is not None
