"""The line of those who wait."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.account import Rest, RestReason, Tier
from flow2api.domain.selection import Candidate, Need
from flow2api.domain.waiting_line import WaitingLine
from tests.factories import AccountFactory, picture_spec, video_spec
from tests.fakes.clock import START

PAINT, FILM, ULTRA = Need(picture_spec()), Need(video_spec()), Need(picture_spec("ultra", min_tier=Tier.ULTRA))


async def test_first_who_fits_is_first_though_others_came_before() -> None:
    line = WaitingLine()
    line.join(ULTRA, ())
    line.join(PAINT, {1})
    line.join(replace(PAINT, only=2), ())
    fitting, later = line.join(PAINT, ()), line.join(PAINT, ())
    candidate = Candidate(AccountFactory.build(id=1))
    assert line.first_for(candidate, START) is fitting
    line.leave(fitting)
    line.leave(fitting)
    assert line.first_for(candidate, START) is later


async def test_oldest_of_several_signatures_is_first() -> None:
    line = WaitingLine()
    film = line.join(FILM, ())
    line.join(PAINT, ())
    older = line.join(ULTRA, ())
    candidate = Candidate(AccountFactory.build(id=1, tier=Tier.ULTRA))
    assert line.first_for(candidate, START) is film
    line.leave(film)
    assert line.first_for(candidate, START) is not older


async def test_nobody_fits_an_account_that_rests_for_the_model() -> None:
    line = WaitingLine()
    line.join(PAINT, ())
    rest = Rest(RestReason.QUOTA, START, model="paint")
    assert line.first_for(Candidate(AccountFactory.build(id=1, rests=(rest,))), START) is None


async def test_counts_by_signature_and_is_empty_in_the_end() -> None:
    line = WaitingLine()
    waiters = [line.join(PAINT, ()) for _ in range(3)]
    assert bool(line)
    assert (line.waiting(PAINT.signature), line.waiting(FILM.signature)) == (3, 0)
    for waiter in waiters:
        line.leave(waiter)
    assert not line


# --- fair between keys ------------------------------------------------------------------------------------------------


def served(line: WaitingLine, times: int) -> list[int | None]:
    """Whose requests the next slots go to."""
    keys = []
    for _ in range(times):
        candidate = Candidate(AccountFactory.build(id=1))
        waiter = line.first_for(candidate, START)
        assert waiter is not None
        line.serve(waiter, candidate)
        assert waiter.given is candidate
        keys.append(waiter.need.key_id)
    return keys


async def test_key_with_five_hundred_delays_a_key_with_one_by_one_turn() -> None:
    line = WaitingLine()
    for _ in range(500):
        line.join(replace(PAINT, key_id=1), ())
    single = line.join(replace(PAINT, key_id=2), ())
    assert line.position(single) == 2
    assert served(line, 3) == [1, 2, 1]


async def test_key_that_comes_back_stands_behind_the_others() -> None:
    line = WaitingLine()
    for key_id in (1, 2, 2):
        line.join(replace(PAINT, key_id=key_id), ())
    assert served(line, 1) == [1]
    line.join(replace(PAINT, key_id=1), ())
    assert served(line, 3) == [2, 1, 2]


async def test_key_whose_request_did_not_fit_keeps_its_turn() -> None:
    line = WaitingLine()
    line.join(replace(ULTRA, key_id=1), ())
    line.join(replace(PAINT, key_id=2), ())
    assert served(line, 1) == [2]
    line.join(replace(PAINT, key_id=2), ())
    ultra = Candidate(AccountFactory.build(id=2, tier=Tier.ULTRA))
    first = line.first_for(ultra, START)
    assert first is not None
    assert first.need.key_id == 1


@given(keys=st.lists(st.integers(1, 5), min_size=1, max_size=60), later=st.lists(st.integers(1, 5), max_size=40))
def test_nobody_starves_and_positions_tell_the_truth(keys: list[int], later: list[int]) -> None:
    line = WaitingLine()
    waiters = [line.join(replace(PAINT, key_id=key), ()) for key in keys]
    positions = {waiter: line.position(waiter) for waiter in waiters}
    assert sorted(positions.values()) == list(range(1, len(keys) + 1))
    order = served(line, len(keys))
    by_position = sorted(waiters, key=positions.__getitem__)
    assert order == [waiter.need.key_id for waiter in by_position]
    # Between two turns of a key that has more to come, each other key has at most one.
    for key in set(keys):
        turns = [place for place, one in enumerate(order) if one == key]
        for one, other in pairwise(turns):
            between = order[one + 1 : other]
            assert len(between) == len(set(between))
    for key in later:
        line.join(replace(PAINT, key_id=key), ())
    assert sorted(served(line, len(later))) == sorted(later)  # type: ignore[type-var]
    assert not line


async def test_takes_the_first_of_each_key_in_turn() -> None:
    line = WaitingLine()
    for key_id in (1, 1, 2):
        line.join(replace(PAINT, key_id=key_id), ())
    assert [waiter.need.key_id for waiter in line.in_turn()] == [1, 2, 1]
    assert list(WaitingLine().in_turn()) == []


async def test_those_who_wait_for_another_kind_are_not_counted_before_one() -> None:
    line = WaitingLine()
    line.join(replace(FILM, key_id=1), ())
    line.join(replace(FILM, key_id=2), ())
    assert line.position(line.join(replace(PAINT, key_id=1), ())) == 1
    assert line.position(line.join(replace(ULTRA, key_id=2), ())) == 2
