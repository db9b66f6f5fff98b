"""What a proxy selector promises."""

import pytest

from flow2api.domain.proxy import Member, ProxySelector

ACCOUNTS = range(1, 200)


class ProxySelectorContract:
    """Everything that a selector promises: subclass it, and define the fixture ``selector``, one that was just built."""

    @pytest.mark.parametrize("count", [1, 2, 50])
    def test_chooses_one_of_the_members(self, selector: ProxySelector, count: int) -> None:
        members = [Member(f"proxy-{number}", number % 3) for number in range(count)]

        assert all(selector.select(account_id, members) in members for account_id in ACCOUNTS)

    def test_leaves_the_members_as_they_are(self, selector: ProxySelector) -> None:
        members = [Member("one", 3), Member("two", 0)]
        before = list(members)

        for account_id in ACCOUNTS:
            selector.select(account_id, members)

        assert members == before

    def test_never_chooses_one_that_is_gone(self, selector: ProxySelector) -> None:
        members = [Member(f"proxy-{number}", 0) for number in range(6)]
        while members:
            assert all(selector.select(account_id, members) in members for account_id in ACCOUNTS)
            members = members[1:]
