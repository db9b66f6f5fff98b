"""Who still calls models by names that were withdrawn."""

from dataclasses import replace
from datetime import timedelta

from flow2api.domain.ports.storage import GenerationDirectory, NameCount
from flow2api.domain.usecases.count_retired_names import CountRetiredNames, RetiredNames
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage
from flow2api.testing.samples import NOW, generation_of

GONE = {"old-paint": "paint", "old-film": "film"}


async def test_calls_are_counted_by_name_and_key_the_most_often_first() -> None:
    storage = FakeStorage(FakeClock())
    uses = [("old-paint", 1), ("old-film", None), ("paint", 1), ("old-film", None)]
    await storage.generations.add(
        [
            replace(generation_of(f"gen_{at}"), model=model, key_id=key_id, created_at=NOW + timedelta(seconds=at))
            for at, (model, key_id) in enumerate(uses)
        ]
    )

    found = await CountRetiredNames(storage.generation_directory, GONE)()

    assert found == RetiredNames(
        successors=GONE,
        calls=[
            NameCount("old-film", None, 2, NOW + timedelta(seconds=3)),
            NameCount("old-paint", 1, 1, NOW),
        ],
        since=NOW,
    )


async def test_without_withdrawn_names_or_without_counting_there_is_nothing() -> None:
    class Plain:
        def __init__(self, directory: GenerationDirectory) -> None:
            self.page = directory.page

    directory = FakeStorage(FakeClock()).generation_directory

    assert (await CountRetiredNames(directory, {})()).calls == ()
    assert (await CountRetiredNames(Plain(directory), GONE)()).since is None
    assert (await CountRetiredNames(directory, GONE)()).calls == []
