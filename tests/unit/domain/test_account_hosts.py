"""Which accounts are served at which host is known as they come, change and go."""

from dataclasses import replace

from flow2api.domain.account import Account, RestReason
from flow2api.domain.account_hosts import AccountHosts
from flow2api.testing.fakes.clock import START

ONE, OTHER = "https://one.example.org/v1", "https://other.example.org/v1"


def account(account_id: int, base_url: str | None = None) -> Account:
    return Account(id=account_id, upstream="openai", name="", created_at=START, base_url=base_url)


def test_accounts_are_found_by_their_host_until_they_go() -> None:
    hosts = AccountHosts()
    first, second = account(1, ONE), account(2, OTHER)
    hosts.change(None, first)
    hosts.change(None, second)
    assert dict(hosts.of("openai")) == {ONE: {1}, OTHER: {2}}
    hosts.change(first, replace(first, base_url=OTHER))
    assert dict(hosts.of("openai")) == {OTHER: {1, 2}}
    assert hosts.at(("openai", OTHER)) == {1, 2}
    hosts.change(second, None)
    hosts.change(replace(first, base_url=OTHER), replace(first, base_url=OTHER, remark="kept"))
    assert hosts.at(("openai", OTHER)) == {1}
    assert not hosts.at(("openai", ONE))


def test_account_that_rests_until_somebody_does_something_is_at_no_host() -> None:
    hosts = AccountHosts()
    one = account(1, ONE)
    hosts.change(None, one)
    passing = one.resting(RestReason.RATE_LIMITED, START, until=START).resting(RestReason.NO_ACCESS, START, model="m")
    hosts.change(one, passing)
    assert hosts.at(("openai", ONE)) == {1}
    suspended = passing.resting(RestReason.AUTH_EXPIRED, START)
    hosts.change(passing, suspended)
    assert not hosts.of("openai")
    hosts.change(suspended, passing)
    assert hosts.at(("openai", ONE)) == {1}


def test_accounts_of_several_places_are_found_together() -> None:
    hosts = AccountHosts()
    for number, base_url in enumerate((ONE, ONE, OTHER, None), 1):
        hosts.change(None, account(number, base_url))
    assert hosts.at_any([]) == frozenset()
    assert hosts.at_any([("openai", ONE), ("openai", None), ("gemini", OTHER)]) == {1, 2}


def test_accounts_without_a_base_url_are_at_no_host() -> None:
    hosts = AccountHosts()
    hosts.change(None, account(1))
    hosts.change(account(1), None)
    assert not hosts.of("openai")
    assert not hosts.at(("openai", None))
