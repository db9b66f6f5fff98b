"""Operators see every generation, whoever asked for it."""

import pytest

from flow2api.domain.errors import GenerationNotFoundError
from flow2api.domain.ports.storage import GenerationFilter
from flow2api.domain.usecases.look_up_generations import LARGEST_PAGE, LookUpGenerations
from flow2api.testing.factories import GenerationFactory
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.storage import FakeStorage


async def test_finds_by_id_and_by_filter_whether_deleted_or_not() -> None:
    storage = FakeStorage(FakeClock())
    look_up = LookUpGenerations(storage.generations, storage.generation_directory)
    made = [
        GenerationFactory.build(id=f"gen_{number}", key_id=number % 2, deleted_at=START if number else None)
        for number in range(3)
    ]
    await storage.generations.add(made)

    assert await look_up.get("gen_2") == made[2]
    assert (await look_up.page(GenerationFilter(key_id=0))).items == (made[2], made[0])
    page = await look_up.page(GenerationFilter(), after="gen_2", limit=1)
    assert (page.items, page.has_more) == ((made[1],), True)
    assert len((await look_up.page(GenerationFilter(), limit=LARGEST_PAGE + 1)).items) == 3
    with pytest.raises(GenerationNotFoundError):
        await look_up.get("gen_9")
