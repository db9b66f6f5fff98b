import pytest

from flow2api.simulator.accounts import Account, AccountBook
from flow2api.simulator.control_schema import DAY_S, AccountKnobs
from flow2api.simulator.errors import CallError

NOW = 1_780_000_000.0


@pytest.fixture
def book() -> AccountBook:
    return AccountBook()


@pytest.fixture
def account(book: AccountBook) -> Account:
    return book.add(AccountKnobs(credits=100), NOW)


class Ended:
    """A job that has ended."""

    def settle(self, now: float) -> bool:
        return True


class Endless:
    """A job that goes on."""

    def settle(self, now: float) -> bool:
        return False


def test_mints_session_tokens_of_the_real_shape(account: Account) -> None:
    assert account.session_token.startswith("eyJ")
    assert 1000 <= len(account.session_token) <= 1100
    assert account.session_token.count(".") == 4


def test_reads_its_own_session_tokens_until_their_window_ends(book: AccountBook, account: Account) -> None:
    token = account.session_token
    assert book.read_session(token, NOW + 30 * DAY_S - 1) == (account, 0)
    assert book.read_session(token, NOW + 30 * DAY_S + 1) is None


def test_older_session_tokens_stay_good_after_a_rotation(book: AccountBook, account: Account) -> None:
    first = account.session_token
    second = book.mint_session(account, NOW + 10)
    assert first != second
    assert book.read_session(first, NOW + 20) == (account, 0)
    assert book.read_session(second, NOW + 20) == (account, 0)


@pytest.mark.parametrize("token", [None, "", "eyJ", "a.b.c.d.e", "eyJ..%%%.x.y"])
def test_garbage_is_no_session(book: AccountBook, account: Account, token: str | None) -> None:
    assert book.read_session(token, NOW) is None


def test_a_forged_signature_is_no_session(book: AccountBook, account: Account) -> None:
    head, key, text, signature, filler = account.session_token.split(".")
    forged = ".".join((head, key, text, "0" * len(signature), filler))
    assert book.read_session(forged, NOW) is None


def test_takes_a_session_token_that_was_given(book: AccountBook) -> None:
    account = book.add(AccountKnobs(session_token="eyJ-mine"), NOW)
    assert book.read_session("eyJ-mine", NOW + 400 * DAY_S) == (account, 0)


def test_finds_accounts_by_id_and_by_email_in_any_case(book: AccountBook) -> None:
    account = book.add(AccountKnobs(email="Ada@Example.com"), NOW)
    assert book.find(account.id) is account
    assert book.find(" ada@example.COM ") is account


def test_refuses_the_same_email_twice(book: AccountBook) -> None:
    book.add(AccountKnobs(email="ada@example.com"), NOW)
    with pytest.raises(ValueError, match="already"):
        book.add(AccountKnobs(email="ADA@example.com"), NOW)


def test_forgets_access_tokens_that_have_expired(book: AccountBook, account: Account) -> None:
    book.mint_access(account, NOW)
    old = account.access_token
    book.mint_access(account, NOW + 2 * DAY_S)
    assert book.access(old) is None
    assert book.access(account.access_token) is not None


def test_a_new_login_leaves_broken_sessions_broken(book: AccountBook, account: Account) -> None:
    account.knobs.refresh_needed = True
    old = account.session_token
    book.sign_in(account, NOW)
    found = book.read_session(old, NOW)
    assert found is not None
    assert found[1] < account.broken_below
    assert not account.knobs.refresh_needed


def test_a_new_login_leaves_good_sessions_good(book: AccountBook, account: Account) -> None:
    book.sign_in(account, NOW)
    assert account.broken_below == 0


def test_takes_credits_and_gives_them_back(account: Account) -> None:
    account.take("veo", 2, 40, "2026-06-01")
    assert account.knobs.credits == 60
    account.give_back(40)
    assert (account.knobs.credits, account.counters.credits_spent, account.counters.credits_returned) == (100, 40, 40)


def test_refuses_what_costs_more_than_is_left_and_takes_nothing(account: Account) -> None:
    account.knobs.quota_per_day = 1
    with pytest.raises(CallError) as refused:
        account.take("veo", 1, 101, "2026-06-01")
    assert (refused.value.status, refused.value.reason) == (429, "PUBLIC_ERROR_USER_QUOTA_REACHED")
    account.take("veo", 1, 10, "2026-06-01")


def test_the_days_share_comes_back_the_next_day(account: Account) -> None:
    account.knobs.quota_per_day = 2
    account.take("veo", 2, 0, "2026-06-01")
    with pytest.raises(CallError, match="USER_QUOTA_REACHED"):
        account.take("veo", 1, 0, "2026-06-01")
    account.take("veo", 1, 0, "2026-06-02")


def test_a_models_share_is_its_own(account: Account) -> None:
    account.knobs.model_quota_per_day = {"veo": 1}
    account.take("veo", 1, 0, "2026-06-01")
    with pytest.raises(CallError, match="PER_MODEL_DAILY_QUOTA_REACHED"):
        account.take("veo", 1, 0, "2026-06-01")
    account.take("other", 1, 0, "2026-06-01")


def test_daily_credits_come_at_midnight(account: Account) -> None:
    account.knobs.daily_credits = 50
    account.take("veo", 1, 90, "2026-06-01")
    account.refill("2026-06-01")
    assert account.knobs.credits == 10
    account.refill("2026-06-02")
    assert account.knobs.credits == 50


def test_limits_jobs_at_once_and_remembers_the_peak(account: Account) -> None:
    account.knobs.max_parallel_jobs = 2
    account.start({"a": Endless(), "b": Endless()}, NOW)
    with pytest.raises(CallError, match="CONCURRENT_LIMIT_REACHED"):
        account.start({"c": Endless()}, NOW)
    assert account.counters.peak_jobs == 2


def test_ended_jobs_give_their_places_back(account: Account) -> None:
    account.knobs.max_parallel_jobs = 1
    account.start({"a": Ended()}, NOW)
    account.start({"b": Endless()}, NOW)
    assert list(account.running) == ["b"]
