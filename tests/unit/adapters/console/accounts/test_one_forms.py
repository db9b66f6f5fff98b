"""The forms of an account take only what was touched, and what another has touched as well is shown from both sides."""

from datetime import UTC, datetime

import pytest

from flow2api.adapters.console.accounts.one_forms import (
    proxy_choices,
    read_credential,
    read_settings,
    settings_of,
    show_both,
)
from flow2api.adapters.console.forms import Form
from flow2api.domain.account import Account, Capacity, CredentialKind
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.media import MediaKind
from flow2api.domain.proxy import Proxy
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.change_account import AccountChange
from flow2api.testing.factories import AccountFactory

PROXY = Proxy(
    id=1, name="eu-1", url=Secret("http://p"), address="p:80", created_at=datetime(2026, 7, 1, tzinfo=UTC), pool="eu"
)
HOSTS = CredentialKinds({"host": CredentialKind.API_KEY_AND_BASE_URL}, plain_hosts=frozenset({"media"}))
CHOICES = proxy_choices([PROXY], None)


def account(**fields: object) -> Account:
    basis = {"name": "one", "remark": "", "capacity": Capacity(), "weight": 1, "priority": 0, "tags": frozenset({"eu"})}
    return AccountFactory.build(**{**basis, "proxy": None, **fields})


def form_of(one: Account, **typed: str) -> Form:
    stored = settings_of(one)
    return Form(values={**{f"was_{name}": value for name, value in stored.items()}, **stored, **typed})


def test_what_was_left_as_it_was_is_not_changed() -> None:
    assert read_settings(form_of(account()), CHOICES) == (AccountChange(), {})


def test_what_was_typed_is_changed_and_compared_with_what_was_seen() -> None:
    form = form_of(account(), image="4", tags="us eu", proxy="eu-1", weight="9")

    change, seen = read_settings(form, CHOICES)

    assert change == AccountChange(limits={MediaKind.IMAGE: 4}, weight=9, tags=frozenset({"us", "eu"}), proxy="eu-1")
    assert seen == {"image_capacity": None, "weight": 1, "tags": ["eu"], "proxy": None}
    assert not form.errors


def test_same_tags_in_another_order_are_no_change() -> None:
    one = account(tags=frozenset({"a", "b"}))

    assert read_settings(form_of(one, tags="b,a"), CHOICES) == (AccountChange(), {})


def test_form_without_what_was_seen_does_not_go_over_anything_unseen() -> None:
    form = Form(values=dict(settings_of(account())))

    _, seen = read_settings(form, CHOICES)

    assert seen["name"] == ""


def test_conflict_shows_both_and_lets_the_next_save_go_over_it() -> None:
    form = form_of(account(weight=1), weight="60", remark="")
    stored = account(weight=50, remark="theirs")

    show_both(form, stored, ["weight"])

    assert "“50”" in form.error("weight")
    assert (form.value("weight"), form.value("was_weight")) == ("60", "50")
    assert (form.value("remark"), form.error("remark")) == ("theirs", "")
    assert "one" in form.summary


def test_proxy_that_is_gone_can_still_be_kept() -> None:
    assert ("old", "old, which is gone") in proxy_choices([PROXY], "old")
    assert [value for value, _ in CHOICES] == ["global", "direct", "eu", "eu-1"]


@pytest.mark.parametrize(
    ("typed", "kind", "field"),
    [
        ({"credential": ""}, CredentialKind.SESSION, "credential"),
        ({"credential": "two words"}, CredentialKind.SESSION, "credential"),
        ({"credential": "two words"}, CredentialKind.API_KEY, "credential"),
        ({"credential": "k1", "base_url": "ftp://x"}, CredentialKind.API_KEY_AND_BASE_URL, "base_url"),
    ],
)
def test_credential_that_cannot_be_one_is_told_beside_its_field(
    typed: dict[str, str], kind: CredentialKind, field: str
) -> None:
    form = Form(values=dict(typed))

    assert read_credential(form, account(upstream="any"), CredentialKinds({"any": kind})) is None
    assert form.error(field)
    assert "credential" not in form.values


def test_key_goes_with_its_host() -> None:
    one, form = account(upstream="host", base_url="https://a.example/v1"), Form(values={"credential": " k1 "})

    change = read_credential(form, one, HOSTS)

    assert change == AccountChange(session_token=Secret("k1"), base_url="https://a.example/v1")


def test_key_is_renewed_at_a_host_that_may_be_asked_over_plain_http() -> None:
    one, form = account(upstream="host", base_url="http://media:8000/v1"), Form(values={"credential": "k1"})

    assert read_credential(form, one, HOSTS) == AccountChange(
        session_token=Secret("k1"), base_url="http://media:8000/v1"
    )
    assert read_credential(form, one, CredentialKinds({"host": CredentialKind.API_KEY_AND_BASE_URL})) is None
