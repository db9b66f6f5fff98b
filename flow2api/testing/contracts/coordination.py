"""What a coordination promises as a whole: of each part, and of several processes that share it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from flow2api.domain.media import MediaKind
from flow2api.domain.ports.coordination import Coordination, Events, Limits, Slots
from flow2api.testing.contracts.events import EventsContract
from flow2api.testing.contracts.limits import LONG_S, LimitsContract
from flow2api.testing.contracts.slots import SlotsContract

IMAGE = MediaKind.IMAGE

NewProcess = Callable[[], Coordination]


class CoordinationContract(SlotsContract, LimitsContract, EventsContract):
    """Everything that a coordination promises: subclass it, and define the fixture ``new_process``.

    It makes a coordination as one more process would, over what the others share; at first nothing is taken. One that is not shared
    is made once.
    """

    @pytest.fixture
    def new_process(self) -> NewProcess:
        raise NotImplementedError("Say how the coordination is made: override the fixture `new_process`.")

    @pytest.fixture
    async def here(self, new_process: NewProcess) -> AsyncIterator[Coordination]:
        async with AsyncExitStack() as stack:
            process = new_process()
            stack.push_async_callback(process.aclose)
            yield process

    @pytest.fixture
    async def there(self, here: Coordination, new_process: NewProcess) -> AsyncIterator[Coordination]:
        """The same in another process, if there may be any."""
        async with AsyncExitStack() as stack:
            process = new_process() if here.is_shared else here
            stack.push_async_callback(process.aclose)
            yield process

    @pytest.fixture
    def slots(self, here: Coordination) -> Slots:
        return here.slots

    @pytest.fixture
    def limits(self, here: Coordination) -> Limits:
        return here.limits

    @pytest.fixture
    def events(self, here: Coordination) -> Events:
        return here.events

    @pytest.fixture
    def elsewhere(self, there: Coordination) -> Events:
        return there.events

    async def test_slots_are_counted_over_all_processes(self, here: Coordination, there: Coordination) -> None:
        first = await here.slots.take(1, IMAGE, 2)
        second = await there.slots.take(1, IMAGE, 2)
        assert first is not None
        assert second is not None
        assert first != second
        assert await here.slots.take(1, IMAGE, 2) is None
        assert await there.slots.take(1, IMAGE, 2) is None

        await there.slots.give_back(second)

        assert await here.slots.take(1, IMAGE, 2) is not None

    async def test_limits_are_counted_over_all_processes(self, here: Coordination, there: Coordination) -> None:
        assert await here.limits.spend("a", 1, 2, LONG_S) is None
        assert await there.limits.spend("a", 1, 2, LONG_S) is None

        assert await here.limits.spend("a", 1, 2, LONG_S) is not None
        assert await there.limits.spend("a", 1, 2, LONG_S) is not None

    async def test_process_that_ends_gives_its_slots_back(self, here: Coordination, there: Coordination) -> None:
        if not here.is_shared:
            return
        assert await there.slots.take(1, IMAGE, 1) is not None
        assert await here.slots.take(1, IMAGE, 1) is None

        await there.aclose()

        assert await here.slots.take(1, IMAGE, 1) is not None

    async def test_can_be_reached(self, here: Coordination) -> None:
        await here.ping()

    async def test_closing_twice_does_no_harm(self, here: Coordination) -> None:
        await here.aclose()
        await here.aclose()
