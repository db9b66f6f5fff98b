"""The page of an account says how it stands, what that means, and what can be done about it."""

from datetime import timedelta

import pytest

from flow2api.adapters.console.account_states import IN_ORDER, reason_words, state_pill
from flow2api.adapters.console.accounts.notice import notices
from flow2api.domain.account import Account, CallKind, Capacity, CredentialKind, RestReason
from flow2api.domain.account_state import AccountState, Standing, standing_of
from flow2api.domain.selection import Candidate
from flow2api.testing.factories import AccountFactory
from flow2api.testing.fakes.clock import START


def account(**fields: object) -> Account:
    return AccountFactory.build(**{"rests": (), "streaks": (), "capacity": Capacity(), **fields})


def told(
    one: Account, kind: CredentialKind = CredentialKind.SESSION, by: str = ""
) -> list[tuple[str, str, tuple[str, ...]]]:
    standing = standing_of(Candidate(one), START, is_renewed=False)
    return [(notice.kind, notice.title, notice.acts) for notice in notices(one, standing, kind, by)]


@pytest.mark.parametrize(
    ("reason", "kind", "word", "acts"),
    [
        (RestReason.AUTH_EXPIRED, "err", "sign-in has ended", ("replace",)),
        (RestReason.UNUSABLE, "err", "unusable", ("enable", "test")),
        (RestReason.NO_ACCESS, "err", "no access", ()),
        (RestReason.QUOTA, "warn", "Nothing is left", ("refresh",)),
        (RestReason.RATE_LIMITED, "warn", "rate limited", ("end-cooldown",)),
        (RestReason.ERROR_STREAK, "warn", "several times in a row", ("end-cooldown",)),
        (RestReason.REFUSED, "warn", "refused", ("end-cooldown",)),
        (RestReason.MANUAL, "info", "Paused.", ("enable",)),
    ],
)
def test_each_reason_has_its_sentence_and_its_action(
    reason: RestReason, kind: str, word: str, acts: tuple[str, ...]
) -> None:
    ((found, title, offered),) = told(account().resting(reason, START, until=START + timedelta(hours=1)))

    assert (found, offered) == (kind, acts)
    assert word in title


def test_refused_key_is_called_a_key() -> None:
    ((_, title, _),) = told(account().resting(RestReason.AUTH_EXPIRED, START), CredentialKind.API_KEY)

    assert "API key" in title


def test_who_paused_it_is_named() -> None:
    ((_, title, _),) = told(account().resting(RestReason.MANUAL, START), by="by ada")

    assert title == "Paused by ada."


def test_account_without_any_slots_says_so() -> None:
    ((_, title, acts),) = told(account(capacity=Capacity(0, 0)))

    assert "no slots" in title
    assert acts == ()


def test_account_without_a_way_says_so() -> None:
    one = account()
    (notice,) = notices(one, Standing(AccountState.UNUSABLE, has_way=False), CredentialKind.SESSION, "")

    assert "no way" in notice.title


@pytest.mark.parametrize("state", [AccountState.READY, AccountState.BUSY, AccountState.TESTING])
def test_account_that_is_well_needs_no_word(state: AccountState) -> None:
    assert notices(account(), Standing(state), CredentialKind.SESSION, "") == ()


@pytest.mark.parametrize("state", [AccountState.WARMING, AccountState.TOKEN_SOON])
def test_account_that_waits_for_its_token_can_be_refreshed(state: AccountState) -> None:
    (notice,) = notices(account(), Standing(state), CredentialKind.SESSION, "")

    assert notice.acts == ("refresh",)


def test_what_keeps_it_from_some_work_is_told_as_well() -> None:
    one = account().resting(RestReason.RATE_LIMITED, START, until=START + timedelta(hours=1), call=CallKind.VIDEO)

    assert any("for videos only" in title for _, title, _ in told(one))


def test_every_state_and_reason_has_a_word() -> None:
    assert set(IN_ORDER) == set(AccountState)
    assert len({state_pill(state).words for state in AccountState}) == len(AccountState)
    assert len({reason_words(reason) for reason in RestReason}) == len(RestReason)
