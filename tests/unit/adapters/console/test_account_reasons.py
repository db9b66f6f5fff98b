"""Why accounts could not serve, as operators read it."""

from flow2api.adapters.console.account_reasons import pool_words, reason_words
from flow2api.domain.errors import NoEligibleAccountError


def test_reason_that_is_not_known_is_shown_as_words() -> None:
    assert reason_words("busy") == "all slots in use"
    assert reason_words("new_reason") == "new reason"


def test_pool_that_cannot_serve_tells_why_the_most_frequent_reason_first() -> None:
    told = pool_words(NoEligibleAccountError({"busy": 1, "auth_expired": 2}))
    assert told == "No account can serve this now. 2 accounts: sign-in expired; 1 account: all slots in use."
    assert pool_words(NoEligibleAccountError({})) == "There is no account yet that could serve this. Add one first."
