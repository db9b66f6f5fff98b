"""A search of prompts looks at so many at a time, whether or not the directory can do it by itself."""

from dataclasses import replace

import pytest

from flow2api.domain.generation import Generation
from flow2api.domain.ports.storage import FindsPrompts, GenerationDirectory, GenerationFilter, Page
from flow2api.domain.usecases.find_prompts import READ, FindPrompts
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage
from flow2api.testing.samples import NOW, generation_of


class PlainDirectory:
    """A directory that can do no more than it must."""

    def __init__(self, directory: GenerationDirectory) -> None:
        self._directory = directory

    async def page(
        self, wanted: GenerationFilter, *, after: str | None, limit: int, before: str | None = None
    ) -> Page[Generation]:
        return await self._directory.page(wanted, after=after, limit=limit, before=before)


@pytest.fixture
async def storage() -> FakeStorage:
    storage = FakeStorage(FakeClock())
    made = [generation_of(f"gen_{at}", after_s=at) for at in range(READ + 20)]
    await storage.generations.add([replace(one, prompt="a red boat" if one.id in RED else "grey") for one in made])
    return storage


RED = {"gen_3", "gen_480", "gen_509"}


async def test_nothing_is_found_for_no_word(storage: FakeStorage) -> None:
    found = await FindPrompts(storage.generation_directory)(" ", GenerationFilter())

    assert (found.items, found.further, found.looked_to) == ((), None, None)


async def test_directory_that_can_looks_by_itself(storage: FakeStorage) -> None:
    assert isinstance(storage.generation_directory, FindsPrompts)

    found = await FindPrompts(storage.generation_directory)("Boat  RED", GenerationFilter())

    assert {one.id for one in found.items} == RED
    assert (found.further, found.looked_to) == (None, NOW)


async def test_directory_that_cannot_is_read_page_by_page(storage: FakeStorage) -> None:
    find = FindPrompts(PlainDirectory(storage.generation_directory))

    first = await find("boat", GenerationFilter())
    assert [one.id for one in first.items] == ["gen_509", "gen_480"]
    assert first.further == "gen_20"
    rest = await find("boat", GenerationFilter(), after=first.further)
    assert ([one.id for one in rest.items], rest.further) == (["gen_3"], None)
    back = await find("boat", GenerationFilter(), before="gen_3", limit=1)
    assert ([one.id for one in back.items], back.further) == (["gen_480"], "gen_503")
