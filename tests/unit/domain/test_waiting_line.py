"""The line of those who wait."""

from dataclasses import replace

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
