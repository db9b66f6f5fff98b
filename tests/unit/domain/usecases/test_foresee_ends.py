"""How much longer something takes is told by its model's last ones, and not at all where too few are known."""

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest

from flow2api.domain.errors import StorageError
from flow2api.domain.generation import Generation, Passage, Phase, State
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import LogEntry
from flow2api.domain.remaining_time import Remaining
from flow2api.domain.usecases.foresee_ends import LEARN_AGAIN_S, REMEMBERED, ForeseeEnds
from flow2api.domain.usecases.look_up_generations import LookUpGenerations
from flow2api.domain.usecases.read_spans import ReadSpans
from flow2api.domain.usecases.read_statistics import ReadStatistics
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage
from flow2api.testing.samples import generation_of


class Scene:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.storage = FakeStorage(self.clock)
        statistics = self.storage.statistics
        spans = ReadSpans(statistics, ReadStatistics(statistics, self.clock, lambda: UTC), self.clock, lambda _: None)
        look_up = LookUpGenerations(self.storage.generations, self.storage.generation_directory)
        self.foresee = ForeseeEnds(look_up, spans, self.clock)

    def ended(self, name: str, took_s: float, spec: str = "film", **changes: Any) -> Generation:
        """One that waited a minute for its account, and ended now."""
        ended_at = self.clock.now()
        begun = Passage(Phase.SUBMITTING, 60_000)
        whole: dict[str, Any] = {
            "created_at": ended_at - timedelta(seconds=60 + took_s),
            "state": State.COMPLETED,
            "ended_at": ended_at,
            "passages": (begun,),
            "spec_name": spec,
        }
        return replace(generation_of(name), **(whole | changes))

    def running(self, for_s: float, spec: str = "film") -> Generation:
        return self.ended("gen_now", for_s, spec, state=State.RUNNING, ended_at=None)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_nothing_is_told_of_a_model_that_was_hardly_used(scene: Scene) -> None:
    for number in range(2):
        scene.foresee.ended(scene.ended(f"gen_{number}", 40))

    assert scene.foresee.left(scene.running(10)) is None


def test_left_is_told_by_the_last_ones_of_the_same_model(scene: Scene) -> None:
    for number in range(REMEMBERED + 9):
        scene.foresee.ended(scene.ended(f"gen_{number}", 900 if number < 9 else 40))
        scene.foresee.ended(scene.ended(f"pic_{number}", 5, "picture"))
        scene.foresee.ended(scene.ended(f"bad_{number}", 1, state=State.FAILED))

    assert scene.foresee.left(scene.running(10)) == Remaining(30, 30)
    assert scene.foresee.left(scene.running(1, "picture")) == Remaining(4, 4)
    assert scene.foresee.left(scene.running(1, "other")) is None


def test_nothing_is_told_of_what_waits_or_has_ended(scene: Scene) -> None:
    for number in range(5):
        scene.foresee.ended(scene.ended(f"gen_{number}", 40))

    assert scene.foresee.left(scene.ended("gen_over", 10)) is None
    assert scene.foresee.left(replace(scene.running(10), passages=())) is None
    assert scene.foresee.left(replace(scene.running(10), state=State.QUEUED)) is None


async def test_what_ended_before_the_start_is_read_once_in_a_while(scene: Scene) -> None:
    await scene.foresee.learn()
    await scene.storage.generations.add([scene.ended(f"gen_{number}", 40) for number in range(5)])
    await scene.storage.generations.add([scene.ended("gen_old", 7, passages=())])

    await scene.foresee.learn()
    assert scene.foresee.left(scene.running(10)) is None
    await scene.clock.sleep(LEARN_AGAIN_S)
    await scene.foresee.learn()

    assert scene.foresee.left(scene.running(10)) == Remaining(30, 30)


async def test_more_that_ended_here_counts_instead_of_less_that_is_read(scene: Scene) -> None:
    await scene.storage.generations.add([scene.ended(f"gen_{number}", 400) for number in range(3)])
    for number in range(5):
        scene.foresee.ended(scene.ended(f"gen_{number}", 40))

    await scene.foresee.learn()

    assert scene.foresee.left(scene.running(10)) == Remaining(30, 30)


async def test_figures_of_the_week_tell_more_roughly_of_a_model_that_was_not_used_lately(scene: Scene) -> None:
    for number in range(8):
        scene.storage.journal.note(
            LogEntry(
                at=scene.clock.now() - timedelta(days=2),
                request_id=f"req_{number}",
                key_id=1,
                door="images",
                model="film",
                account_id=1,
                generation_id=f"gen_{number}",
                state="completed",
                code=None,
                duration_ms=90_000,
                kind=MediaKind.VIDEO,
            )
        )

    await scene.foresee.learn()
    left = scene.foresee.left(scene.running(5))

    assert left is not None
    # It waited for a minute: of the minute or two that such a one takes in all, that much is over.
    assert 0 < left.least_s < 30 < left.most_s < 55
    assert not left.is_close


async def test_database_that_does_not_tell_is_asked_again_soon(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    async def refuses(*args: Any, **kwargs: Any) -> Any:
        asked.append(args)
        raise StorageError("The database is gone.")

    monkeypatch.setattr(LookUpGenerations, "page", refuses)
    await scene.foresee.learn()
    await scene.foresee.learn()
    await scene.clock.sleep(30)
    await scene.foresee.learn()

    assert len(asked) == 2
    assert scene.foresee.left(scene.running(5)) is None
