"""The line of those who wait."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.account import Rest, RestReason, Tier
from flow2api.domain.selection import Candidate, Need
from flow2api.domain.waiting_line import Waiter, WaitingLine
from flow2api.plugins.policies import RandomChoice
from flow2api.testing.factories import AccountFactory, picture_spec, video_spec
from flow2api.testing.fakes.clock import START

PAINT, FILM, ULTRA = Need(picture_spec()), Need(video_spec()), Need(picture_spec("ultra", min_tier=Tier.ULTRA))


def join(line: WaitingLine, need: Need, avoid: Collection[int] = (), others: Sequence[Need] = ()) -> Waiter:
    return line.join(need, avoid, RandomChoice(), others)


def first_for(line: WaitingLine, candidate: Candidate, now: datetime) -> Waiter | None:
    found = line.first_for(candidate, now)
    return None if found is None else found[0]


async def test_first_who_fits_is_first_though_others_came_before() -> None:
    line = WaitingLine()
    join(line, ULTRA, ())
    join(line, PAINT, {1})
    join(line, replace(PAINT, only=2), ())
    fitting, later = join(line, PAINT, ()), join(line, PAINT, ())
    candidate = Candidate(AccountFactory.build(id=1))
    assert first_for(line, candidate, START) is fitting
    line.leave(fitting)
    line.leave(fitting)
    assert first_for(line, candidate, START) is later


async def test_oldest_of_several_signatures_is_first() -> None:
    line = WaitingLine()
    film = join(line, FILM, ())
    join(line, PAINT, ())
    older = join(line, ULTRA, ())
    candidate = Candidate(AccountFactory.build(id=1, tier=Tier.ULTRA))
    assert first_for(line, candidate, START) is film
    line.leave(film)
    assert first_for(line, candidate, START) is not older


async def test_nobody_fits_an_account_that_rests_for_the_model() -> None:
    line = WaitingLine()
    for _ in range(2):
        join(line, PAINT, ())
    rest = Rest(RestReason.QUOTA, START, model="paint")
    assert first_for(line, Candidate(AccountFactory.build(id=1, rests=(rest,))), START) is None


async def test_counts_by_signature_and_is_empty_in_the_end() -> None:
    line = WaitingLine()
    waiters = [join(line, PAINT, ()) for _ in range(3)]
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
        waiter = first_for(line, candidate, START)
        assert waiter is not None
        line.serve(waiter, candidate)
        assert waiter.given is candidate
        keys.append(waiter.need.key_id)
    return keys


async def test_key_with_five_hundred_delays_a_key_with_one_by_one_turn() -> None:
    line = WaitingLine()
    for _ in range(500):
        join(line, replace(PAINT, key_id=1), ())
    single = join(line, replace(PAINT, key_id=2), ())
    assert line.position(single) == 2
    assert served(line, 3) == [1, 2, 1]


async def test_key_that_comes_back_stands_behind_the_others() -> None:
    line = WaitingLine()
    for key_id in (1, 2, 2):
        join(line, replace(PAINT, key_id=key_id), ())
    assert served(line, 1) == [1]
    join(line, replace(PAINT, key_id=1), ())
    assert served(line, 3) == [2, 1, 2]


async def test_key_whose_request_did_not_fit_keeps_its_turn() -> None:
    line = WaitingLine()
    join(line, replace(ULTRA, key_id=1), ())
    join(line, replace(PAINT, key_id=2), ())
    assert served(line, 1) == [2]
    join(line, replace(PAINT, key_id=2), ())
    ultra = Candidate(AccountFactory.build(id=2, tier=Tier.ULTRA))
    first = first_for(line, ultra, START)
    assert first is not None
    assert first.need.key_id == 1


@given(keys=st.lists(st.integers(1, 5), min_size=1, max_size=60), later=st.lists(st.integers(1, 5), max_size=40))
def test_nobody_starves_and_positions_tell_the_truth(keys: list[int], later: list[int]) -> None:
    line = WaitingLine()
    waiters = [join(line, replace(PAINT, key_id=key), ()) for key in keys]
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
        join(line, replace(PAINT, key_id=key), ())
    assert sorted(served(line, len(later))) == sorted(later)  # type: ignore[type-var]
    assert not line


async def test_takes_the_first_of_each_key_in_turn() -> None:
    line = WaitingLine()
    for key_id in (1, 1, 2):
        join(line, replace(PAINT, key_id=key_id), ())
    assert [waiter.need.key_id for waiter in line.in_turn()] == [1, 2, 1]
    assert list(WaitingLine().in_turn()) == []


async def test_who_was_served_meanwhile_has_no_second_turn() -> None:
    """Serving one may serve another by the way; a slot counted for him twice would never come back."""
    line = WaitingLine()
    waiters = [join(line, replace(PAINT, key_id=key_id)) for key_id in (1, 1, 2)]
    turns = line.in_turn()
    assert next(turns) is waiters[0]
    line.serve(waiters[2], Candidate(AccountFactory.build(id=1)))
    assert list(turns) == [waiters[1]]


async def test_those_who_wait_for_another_kind_are_not_counted_before_one() -> None:
    line = WaitingLine()
    join(line, replace(FILM, key_id=1), ())
    join(line, replace(FILM, key_id=2), ())
    assert line.position(join(line, replace(PAINT, key_id=1), ())) == 1
    assert line.position(join(line, replace(ULTRA, key_id=2), ())) == 2


# --- several ways to be served ----------------------------------------------------------------------------------------

OTHER = Need(picture_spec("other", upstream="elsewhere"))


async def test_who_has_an_alternative_is_served_by_what_comes_free_first() -> None:
    line = WaitingLine()
    plain, routed = join(line, PAINT), join(line, PAINT, (), [OTHER])
    elsewhere = Candidate(AccountFactory.build(id=9, upstream="elsewhere"))
    assert line.first_for(elsewhere, START) == (routed, OTHER)
    line.serve(routed, elsewhere, OTHER)
    assert (routed.given, routed.need) == (elsewhere, OTHER)
    assert (line.waiting(PAINT.signature), line.waiting(OTHER.signature)) == (1, 0)
    line.leave(plain)
    assert not line


async def test_who_has_an_alternative_stands_where_he_stands_best_and_once() -> None:
    line = WaitingLine()
    for _ in range(3):
        join(line, PAINT)
    routed = join(line, PAINT, (), [ULTRA, OTHER])
    assert line.position(routed) == 1
    assert line.position(join(line, PAINT)) == 5
    assert line.position(join(line, OTHER)) == 2
    assert list(line.in_turn()).count(routed) == 1


async def test_who_was_served_in_vain_stands_where_he_stood() -> None:
    line = WaitingLine()
    waiters = [join(line, replace(PAINT, key_id=key), (), [replace(OTHER, key_id=key)]) for key in (1, 1, 2)]
    candidate = Candidate(AccountFactory.build(id=1))
    line.serve(waiters[0], candidate, waiters[0].needs[1])
    line.rejoin(waiters[0])
    assert (waiters[0].given, waiters[0].need) == (None, waiters[0].needs[0])
    assert list(line.in_turn()) == [waiters[0], waiters[2], waiters[1]]
    assert line.position(waiters[0]) == 1
    for waiter in waiters:
        line.leave(waiter)
    assert not line
    assert line.anyone() is None


@given(joins=st.lists(st.tuples(st.integers(1, 4), st.sampled_from([PAINT, FILM, ULTRA, OTHER])), max_size=40))
def test_among_all_one_stands_where_the_turns_come(joins: list[tuple[int, Need]]) -> None:
    line = WaitingLine()
    for key, need in joins:
        join(line, replace(need, key_id=key))
    in_turn = list(line.in_turn())
    assert [line.position_among_all(waiter) for waiter in in_turn] == list(range(1, len(joins) + 1))


@given(
    joins=st.lists(st.tuples(st.integers(1, 3), st.sampled_from([(), (0,), (1,), (0, 1)])), min_size=1, max_size=30),
    slots=st.lists(st.booleans(), max_size=60),
)
def test_every_slot_goes_to_somebody_whom_it_serves_and_nobody_is_served_twice(
    joins: list[tuple[int, tuple[int, ...]]], slots: list[bool]
) -> None:
    line = WaitingLine()
    for key, extra in joins:
        others = [replace((ULTRA, OTHER)[one], key_id=key) for one in extra]
        join(line, replace(PAINT, key_id=key), (), others)
    done: set[Waiter] = set()
    for is_elsewhere in slots:
        candidate = Candidate(AccountFactory.build(id=1, upstream="elsewhere" if is_elsewhere else "flow"))
        in_turn = list(line.in_turn())
        keys = list(dict.fromkeys(one.need.key_id for one in in_turn))
        wanting = [
            one for one in in_turn if any(need.spec.upstream == candidate.account.upstream for need in one.needs)
        ]
        wanting.sort(key=lambda one: (keys.index(one.need.key_id), one.number))
        first = line.first_for(candidate, START)
        assert (first is None) == (not wanting)
        if first is not None:
            waiter, need = first
            assert waiter is wanting[0]
            assert waiter not in done
            assert need.spec.upstream == candidate.account.upstream
            line.serve(waiter, candidate, need)
            done.add(waiter)
    for waiter in list(line.in_turn()):
        line.leave(waiter)
    assert not line
    assert not line.signatures()
