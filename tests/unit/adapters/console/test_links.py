"""Addresses of pages."""

from flow2api.adapters.console.links import address


def test_what_is_empty_is_left_out_and_changes_win() -> None:
    query = {"q": "a b&c", "state": "", "key": None}

    assert address("/console/keys", query) == "/console/keys?q=a+b%26c"
    assert address("/console/keys", query, q="", state="active") == "/console/keys?state=active"
    assert address("/console/keys", {}) == "/console/keys"
