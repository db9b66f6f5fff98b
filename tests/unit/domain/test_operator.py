from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from flow2api.domain.operator import Operator, Role, changed_fields, folded
from flow2api.domain.preferences import Preferences
from flow2api.domain.secret import Secret

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Ada", "ADA"), ("straße", "STRASSE"), ("é", "e\u0301"), ("\uff21da", "ada"), ("\u212bngstrom", "ångstrom")],
)
def test_names_that_look_alike_fold_alike(one: str, other: str) -> None:
    assert folded(one) == folded(other)


def test_different_names_stay_different() -> None:
    assert len({folded(name) for name in ("ada", "eda", "ada lovelace", "小明", "小红")}) == 5


def test_hash_is_not_shown() -> None:
    operator = Operator(
        id=1,
        name="ada",
        role=Role.OWNER,
        passphrase_hash=Secret("canary"),
        stamp="s",
        created_at=NOW,
        passphrase_changed_at=NOW,
    )

    assert "canary" not in repr(operator)


@pytest.mark.parametrize(
    ("role", "includes"),
    [(Role.OWNER, set(Role)), (Role.OPERATOR, {Role.OPERATOR, Role.VIEWER}), (Role.VIEWER, {Role.VIEWER})],
)
def test_role_includes_what_those_behind_it_may(role: Role, includes: set[Role]) -> None:
    assert {other for other in Role if role.includes(other)} == includes


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, ()),
        ({"role": Role.VIEWER}, ("role",)),
        ({"name": "eve", "stamp": "t"}, ("name", "sessions")),
        ({"passphrase_hash": Secret("other")}, ("passphrase",)),
        ({"preferences": Preferences(has_letter_keys=False)}, ()),
    ],
)
def test_what_was_changed_of_somebody_is_told_in_words(changes: dict[str, Any], told: tuple[str, ...]) -> None:
    seen = Operator(
        id=1,
        name="ada",
        role=Role.OWNER,
        passphrase_hash=Secret("canary"),
        stamp="s",
        created_at=NOW,
        passphrase_changed_at=NOW,
    )

    assert changed_fields(seen, replace(seen, **changes)) == told
