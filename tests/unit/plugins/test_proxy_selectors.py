from collections import Counter

import pytest

from flow2api.domain.proxy import Member, ProxySelector
from flow2api.extensions import load_extensions
from flow2api.plugins.proxy_selectors import FewestAccounts, Rendezvous
from flow2api.testing.contracts import ProxySelectorContract

MEMBERS = [Member(f"proxy-{number}", 0) for number in range(10)]
ACCOUNTS = range(1, 2001)


class TestRendezvous(ProxySelectorContract):
    @pytest.fixture
    def selector(self) -> ProxySelector:
        return Rendezvous()


class TestFewestAccounts(ProxySelectorContract):
    @pytest.fixture
    def selector(self) -> ProxySelector:
        return FewestAccounts()


def test_accounts_are_spread_evenly() -> None:
    shares = Counter(Rendezvous().select(account, MEMBERS).name for account in ACCOUNTS)

    assert len(shares) == 10
    assert max(shares.values()) < 1.3 * min(shares.values())


def test_choice_is_the_same_everywhere_whatever_the_order() -> None:
    assert all(
        Rendezvous().select(account, MEMBERS) == Rendezvous().select(account, MEMBERS[::-1]) for account in ACCOUNTS
    )


def test_only_the_accounts_of_the_one_that_goes_move_and_they_spread() -> None:
    before = {account: Rendezvous().select(account, MEMBERS).name for account in ACCOUNTS}
    after = {account: Rendezvous().select(account, MEMBERS[1:]).name for account in ACCOUNTS}

    moved = Counter(after[account] for account in ACCOUNTS if after[account] != before[account])
    assert sum(moved.values()) == Counter(before.values())["proxy-0"]
    assert len(moved) == 9


def test_emptiest_one_is_filled_first() -> None:
    members = [Member("full", 9), Member("empty", 0), Member("half", 4)]

    assert {FewestAccounts().select(account, members).name for account in ACCOUNTS} == {"empty"}


def test_both_are_registered() -> None:
    assert {"rendezvous", "fewest_accounts"} <= load_extensions().proxy_selectors.keys()
