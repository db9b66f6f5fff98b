"""The ready sets of all signatures: an account changes those only that it has a place in."""

from flow2api.domain.account import Capacity
from flow2api.domain.media import MediaKind
from flow2api.domain.ready_sets import ReadySets
from flow2api.domain.selection import Candidate, Need
from flow2api.testing.factories import AccountFactory, picture_spec, video_spec
from flow2api.testing.fakes.clock import START

ELSEWHERE = picture_spec("elsewhere", upstream="other")


def test_account_without_a_free_slot_changes_only_the_model_sets_of_its_kind_and_service() -> None:
    full, other = (
        Candidate(AccountFactory.build(id=1, capacity=Capacity(image=1))),
        Candidate(AccountFactory.build(id=2, upstream="other")),
    )
    sets = ReadySets({1: full, 2: other})
    paint, film, elsewhere = (
        sets.of_model(spec, Need(spec).signature, START) for spec in (picture_spec(), video_spec(), ELSEWHERE)
    )

    full.images = 1
    sets.restand(full, START, MediaKind.IMAGE)

    assert (paint.ready, paint.refusals()) == (0, {"busy": 1})
    assert [one.account.id for one in film.everyone()] == [1]
    assert [one.account.id for one in elsewhere.everyone()] == [2]
    assert elsewhere.refusals() == {}
