"""The address of the list says what is narrowed and sorted, and its links say it again."""

from urllib.parse import parse_qs, urlsplit

import pytest

from flow2api.adapters.console.accounts.narrowing import Narrowing, narrowing
from flow2api.domain.account import Tier
from flow2api.domain.account_list import AccountOrder, ListPlace, PoolFilter
from flow2api.domain.account_state import AccountState


def asked(**values: str) -> Narrowing:
    return narrowing(lambda name: values.get(name, ""))


def test_nothing_said_looks_for_everything_by_name() -> None:
    assert asked().wanted == PoolFilter()
    assert asked().order == (AccountOrder.NAME, False)
    assert asked().place == (None, None)
    assert asked().link() == "/console/accounts"
    assert not asked().is_narrowed


def test_everything_said_is_looked_for() -> None:
    found = asked(
        q=" a ", state="busy", tag="eu", upstream="flow", proxy="p1", plan="Pro", sort="-credits", after="9~3"
    )

    assert found.wanted == PoolFilter(
        text="a", state=AccountState.BUSY, tag="eu", upstream="flow", proxy="p1", tier=Tier.PRO
    )
    assert found.order == (AccountOrder.CREDITS, True)
    assert found.place == (ListPlace(3, 9), None)
    assert found.is_narrowed


@pytest.mark.parametrize(("name", "value"), [("state", "odd"), ("plan", "gold"), ("sort", "odd"), ("after", "odd")])
def test_what_makes_no_sense_is_left_out(name: str, value: str) -> None:
    assert asked(**{name: value}).wanted == PoolFilter()
    assert asked(**{name: value}).place == (None, None)


def test_accounts_without_a_proxy_of_their_own_have_a_sign() -> None:
    assert asked(proxy="-").wanted == PoolFilter(proxy="")


def test_link_keeps_the_rest_and_forgets_the_place() -> None:
    link = asked(q="ä&b", tag="eu", sort="-name", after="9~x").link(tag="", state="paused")

    assert parse_qs(urlsplit(link).query) == {"q": ["ä&b"], "state": ["paused"], "sort": ["-name"]}


def test_long_text_is_cut() -> None:
    assert len(asked(q="a" * 1000).q) == 100


def test_columns_are_hidden_and_shown_by_their_links() -> None:
    found = asked(hide="tags,odd,checks", after="9~3", sort="-credits")

    assert found.hide == "checks,tags"
    assert found.columns == ("images", "videos", "credits", "access", "proxy", "error")
    assert parse_qs(urlsplit(found.switched("tags")).query)["hide"] == ["checks"]
    assert parse_qs(urlsplit(found.switched("error")).query) == {
        "hide": ["checks,tags,error"],
        "after": ["9~3"],
        "sort": ["-credits"],
    }
    assert "hide" not in asked(hide="tags").switched("tags")
    assert not found.is_narrowed
