"""Who would be chosen is told without choosing."""

from random import Random

import pytest

from flow2api.domain.account import Account, Capacity
from flow2api.domain.catalog import ModelCatalog
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.lease import AccountPool
from flow2api.domain.media import MediaKind
from flow2api.domain.usecases.foresee_choices import MOST, ForeseeChoices
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.plugins.policies import FillFirst, RandomChoice
from flow2api.testing.factories import AccountFactory, picture_spec, video_spec
from flow2api.testing.fakes.clock import FakeClock

PAINT = picture_spec()


def account(account_id: int, image: int = 1, video: int = 0) -> Account:
    return AccountFactory.build(id=account_id, capacity=Capacity(image=image, video=video))


@pytest.fixture
def pool() -> AccountPool:
    return AccountPool(MemorySlots(), FakeClock(), Random(1))


@pytest.fixture
def foresee(pool: AccountPool) -> ForeseeChoices:
    return ForeseeChoices(pool, ModelCatalog([PAINT, video_spec()]), {"fill_first": FillFirst, "random": RandomChoice})


def test_those_that_come_next_are_named_in_their_order(pool: AccountPool, foresee: ForeseeChoices) -> None:
    for number in range(1, 6):
        pool.put(account(number))

    pictures, clips = foresee("fill_first")

    assert (pictures.kind, pictures.model, len(pictures.accounts)) == (MediaKind.IMAGE, PAINT.name, MOST)
    assert len({one.id for one in pictures.accounts}) == MOST
    assert (clips.kind, clips.model, list(clips.accounts)) == (MediaKind.VIDEO, None, [])


def test_nothing_is_held_by_being_asked(pool: AccountPool, foresee: ForeseeChoices) -> None:
    pool.put(account(1, video=1))

    for _ in range(3):
        assert [[one.id for one in found.accounts] for found in foresee("random")] == [[1], [1]]

    assert pool.load_of(1, MediaKind.IMAGE) == 0


def test_policy_that_there_is_not_is_refused(foresee: ForeseeChoices) -> None:
    with pytest.raises(UnsupportedInputError, match="nothing of the kind"):
        foresee("nothing of the kind")
