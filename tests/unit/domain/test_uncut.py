"""Short steps that a cancellation does not cut."""

import asyncio

import pytest

from flow2api.domain.uncut import uncut


class Step:
    def __init__(self) -> None:
        self.is_done = False

    async def __call__(self, seconds: float = 1.0, error: Exception | None = None) -> str:
        await asyncio.sleep(seconds)
        self.is_done = True
        if error is not None:
            raise error
        return "done"


async def test_gives_what_the_step_gives() -> None:
    assert await uncut(Step()()) == "done"
    with pytest.raises(LookupError):
        await uncut(Step()(error=LookupError()))


@pytest.mark.parametrize("error", [None, LookupError()])
async def test_cancellation_takes_effect_after_the_step(error: Exception | None) -> None:
    step = Step()
    task = asyncio.create_task(uncut(step(error=error)))
    await asyncio.sleep(0.5)
    task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    await asyncio.wait([task])
    assert task.cancelled()
    assert step.is_done


async def test_second_cancellation_is_not_held_up_and_the_step_goes_on() -> None:
    step = Step()
    task = asyncio.create_task(uncut(step(10.0)))
    await asyncio.sleep(0.5)
    task.cancel()
    await asyncio.sleep(0.5)
    task.cancel()
    await asyncio.wait([task], timeout=1)
    assert task.cancelled()
    assert not step.is_done
    await asyncio.sleep(10)
    assert step.is_done


async def test_step_that_is_cancelled_itself_is_a_cancellation() -> None:
    async def step() -> None:
        raise asyncio.CancelledError

    task = asyncio.create_task(uncut(step()))
    await asyncio.wait([task])
    assert task.cancelled()
