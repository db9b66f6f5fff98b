"""One fresh token that is refused tells of a session, many of them tell of the service."""

from flow2api.domain.token_refusals import TokenRefusals
from flow2api.testing.fakes.clock import START


def test_first_refusal_of_a_fresh_token_is_taken_at_its_word_and_further_ones_are_doubted() -> None:
    refusals = TokenRefusals()
    assert not refusals.is_doubtful(1, 0.0)
    assert not refusals.is_doubtful(1, 1.0)
    assert refusals.is_doubtful(2, 5.0)
    assert refusals.is_doubtful(1, 6.0)


def test_refusals_of_long_ago_cast_no_doubt_when_calls_went_well_since() -> None:
    refusals = TokenRefusals()
    refusals.is_doubtful(1, 0.0)
    assert refusals.is_doubtful(2, 60.0)
    refusals.accepted(61.0)
    assert not refusals.is_doubtful(3, 121.0)
    assert len(refusals) == 1


def test_refusals_of_long_ago_cast_doubt_while_no_call_goes_well() -> None:
    refusals = TokenRefusals()
    refusals.accepted(0.0)
    refusals.is_doubtful(1, 10.0)
    assert refusals.is_doubtful(2, 100_000.0)


def test_who_was_believed_is_doubted_once_and_only_while_the_refusal_counts() -> None:
    refusals = TokenRefusals()
    refusals.is_doubtful(1, 0.0)
    refusals.believe(1, START)
    assert refusals.is_doubtful(2, 5.0)
    assert refusals.doubt_all() == {1: START}
    assert not refusals.doubt_all()
    refusals.believe(2, None)
    refusals.accepted(6.0)
    assert not refusals.is_doubtful(3, 600.0)
    assert not refusals.doubt_all()
