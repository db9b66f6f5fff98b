"""The state of an account follows from its rests, its slots and its access token."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from flow2api.domain.account import Account, CallKind, Capacity, RestReason, Tier
from flow2api.domain.account_state import OF_REST, AccountState, Standing, standing_of, state_of
from flow2api.domain.selection import Candidate
from flow2api.testing.fakes.clock import START as NOW

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def account(**fields: Any) -> Account:
    warm: dict[str, Any] = {
        "tier": Tier.ULTRA, "workspace": "w", "access_obtained_at": NOW - HOUR / 2, "access_expires_at": NOW + HOUR / 2,
    }  # fmt: skip
    basis = Account(id=1, upstream="flow", name="one", created_at=NOW, capacity=Capacity(2, 1), **warm)
    return replace(basis, **fields)


@pytest.mark.parametrize(
    ("candidate", "state"),
    [
        (Candidate(account()), AccountState.READY),
        (Candidate(account(), images=2), AccountState.READY),
        (Candidate(account(), images=2, videos=1), AccountState.BUSY),
        (Candidate(account(capacity=Capacity(2, 0)), images=2), AccountState.BUSY),
        (Candidate(account(capacity=Capacity(None, 1)), images=99, videos=1), AccountState.READY),
        (Candidate(account(capacity=Capacity(0, 0))), AccountState.PAUSED),
        (Candidate(account(capacity=Capacity(0, 1), credits=0)), AccountState.OUT_OF_CREDITS),
        (Candidate(account(credits=0)), AccountState.READY),
        (Candidate(account(tier=None)), AccountState.WARMING),
        (Candidate(account(access_expires_at=None)), AccountState.WARMING),
        (Candidate(account(), has_way=False), AccountState.UNUSABLE),
        (Candidate(account(access_expires_at=NOW + 9 * MINUTE)), AccountState.TOKEN_SOON),
        (Candidate(account(access_expires_at=NOW - MINUTE)), AccountState.TOKEN_SOON),
        (Candidate(account(access_expires_at=NOW + 11 * MINUTE)), AccountState.READY),
        (
            Candidate(account(access_expires_at=NOW + 7 * MINUTE, access_obtained_at=NOW - 13 * MINUTE)),
            AccountState.READY,  # such short tokens are renewed ten minutes before their end, which was just now
        ),
    ],
)
def test_state_of_an_account_that_does_not_rest(candidate: Candidate, state: AccountState) -> None:
    assert state_of(candidate, NOW) is state


@pytest.mark.parametrize("reason", RestReason)
def test_state_of_an_account_that_rests_is_that_of_the_reason(reason: RestReason) -> None:
    candidate = Candidate(account().resting(reason, NOW, until=NOW + MINUTE), images=2, videos=1)

    assert state_of(candidate, NOW) is OF_REST[reason]
    assert state_of(candidate, NOW + MINUTE) is AccountState.BUSY


def test_rest_from_one_kind_of_call_leaves_the_state_and_is_told_beside_it() -> None:
    resting = (
        account()
        .resting(RestReason.NO_ACCESS, NOW, model="veo")
        .resting(RestReason.RATE_LIMITED, NOW, until=NOW - MINUTE)
        .resting(RestReason.QUOTA, NOW, until=NOW + HOUR, call=CallKind.VIDEO)
    )

    standing = standing_of(Candidate(resting), NOW)

    assert (standing.state, standing.rest, standing.until) == (AccountState.READY, None, None)
    assert [rest.reason for rest in standing.others] == [RestReason.QUOTA, RestReason.NO_ACCESS]


def test_standing_tells_the_gravest_rest_and_when_it_ends() -> None:
    resting = account().rate_limited(NOW, retry_after_s=90).resting(RestReason.MANUAL, NOW)

    standing = standing_of(Candidate(resting), NOW)

    assert (standing.state, standing.rest, standing.until) == (AccountState.PAUSED, resting.rests[1], None)
    assert standing.others == (resting.rests[0],)
    cooling = standing_of(Candidate(resting.without(lambda rest: rest.reason is not RestReason.MANUAL)), NOW)
    assert (cooling.state, cooling.until) == (AccountState.COOLING_DOWN, NOW + timedelta(seconds=90))


def test_token_that_ends_soon_says_when() -> None:
    ends = NOW + 5 * MINUTE
    candidate = Candidate(account(access_expires_at=ends), has_way=True)

    assert standing_of(candidate, NOW) == Standing(AccountState.TOKEN_SOON, until=ends)
    assert state_of(candidate, NOW, is_renewed=False) is AccountState.READY


def test_test_under_way_is_told_before_all_else() -> None:
    paused = Candidate(account().resting(RestReason.MANUAL, NOW))

    assert state_of(paused, NOW, is_testing=True) is AccountState.TESTING
    assert standing_of(paused, NOW, is_testing=True).rest is not None
