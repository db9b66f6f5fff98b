"""What a coordination promises of its events."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

import pytest

from flow2api.domain.ports.coordination import Events

HEARD_WITHIN_S = 1.0
"""As long as nothing else holds the machine up."""
PATIENCE_S = 20.0

Heard = list[tuple[str, str]]


class EventsContract:
    """Everything that events promise: subclass it, and define the fixture ``events``.

    The fixture ``elsewhere`` is the same events in another process; where there is none, they are the same object.
    """

    @pytest.fixture
    def elsewhere(self, events: Events) -> Events:
        return events

    async def test_other_process_hears_what_is_published(self, events: Events, elsewhere: Events) -> None:
        async with listening(elsewhere, events) as heard:
            await events.publish("changed", "process 7")

            await until(lambda: ("changed", "process 7") in heard)

    async def test_this_process_hears_it_as_well(self, events: Events) -> None:
        async with listening(events, events) as heard:
            await events.publish("ended", "gen_1")

            await until(lambda: ("ended", "gen_1") in heard)

    async def test_all_that_listen_hear_it(self, events: Events, elsewhere: Events) -> None:
        async with listening(events, events) as here, listening(elsewhere, events) as there:
            await elsewhere.publish("ended", "gen_2")

            await until(lambda: ("ended", "gen_2") in here and ("ended", "gen_2") in there)

    async def test_is_heard_within_a_second(self, events: Events, elsewhere: Events) -> None:
        took: list[float] = []
        async with listening(elsewhere, events) as heard:
            for number in range(5):
                began = monotonic()
                await events.publish("ended", f"gen_{number}")
                await until(lambda told=("ended", f"gen_{number}"): told in heard)  # type: ignore[misc]
                took.append(monotonic() - began)

        assert min(took) < HEARD_WITHIN_S

    async def test_each_of_many_arrives(self, events: Events, elsewhere: Events) -> None:
        wanted = {("ended", f"gen_{number}") for number in range(50)}
        async with listening(elsewhere, events) as heard:
            for topic, about in wanted:
                await events.publish(topic, about)

            await until(lambda: wanted <= set(heard))

    async def test_texts_arrive_as_they_are(self, events: Events, elsewhere: Events) -> None:
        longest = ("t" * 64, "host.example:17:" + "x" * 184)
        spaced = ("changed", "with spaces: and\ttabs, \"quotes\", 'more' {} %s")
        async with listening(elsewhere, events) as heard:
            await events.publish(*longest)
            await events.publish(*spaced)

            await until(lambda: longest in heard and spaced in heard)

    async def test_nobody_has_to_listen(self, events: Events) -> None:
        await events.publish("changed", "nobody")

    async def test_what_was_published_before_is_not_told(self, events: Events, elsewhere: Events) -> None:
        await events.publish("ended", "gen_before")
        async with listening(elsewhere, events) as heard:
            await events.publish("ended", "gen_after")
            await until(lambda: ("ended", "gen_after") in heard)

        assert ("ended", "gen_before") not in heard

    async def test_who_has_stopped_listening_hears_no_more(self, events: Events, elsewhere: Events) -> None:
        async with listening(elsewhere, events) as former:
            pass
        async with listening(elsewhere, events) as heard:
            await events.publish("ended", "gen_3")
            await until(lambda: ("ended", "gen_3") in heard)

        assert ("ended", "gen_3") not in former


async def until(is_so: Callable[[], bool], within_s: float = PATIENCE_S) -> None:
    """Wait until it is so.

    Raises:
        TimeoutError: It is not in time.
    """
    async with asyncio.timeout(within_s):
        while not is_so():
            await asyncio.sleep(0.002)


@asynccontextmanager
async def listening(where: Events, published: Events) -> AsyncIterator[Heard]:
    """What is heard there, from the moment when it hears what is published."""
    heard: Heard = []
    probe = ("probe", f"{id(heard)}")
    task = asyncio.create_task(where.listen(lambda topic, about: heard.append((topic, about))))
    try:
        async with asyncio.timeout(PATIENCE_S):
            while probe not in heard:
                if task.done():
                    task.result()
                await published.publish(*probe)
                await asyncio.sleep(0.01)
        yield heard
    finally:
        task.cancel()
        await asyncio.wait([task])
