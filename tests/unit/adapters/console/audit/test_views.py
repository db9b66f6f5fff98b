"""Entries of the audit log as the page shows them."""

from typing import Any

import pytest

from flow2api.adapters.console.audit.actions import action_words, subject_path
from flow2api.adapters.console.audit.views import Detail, _groups, details_of
from flow2api.domain.audit import AuditAction


def test_change_shows_each_field_before_and_after_and_what_else_there_is() -> None:
    details = {"before": {"name": "a", "tag": None}, "after": {"name": "b", "tag": "eu"}, "count": 3}

    assert details_of(details) == [
        Detail("name", "a", "b", True),
        Detail("tag", "none", "eu", True),
        Detail("count", "", "3", False),
    ]


@pytest.mark.parametrize("details", [{"before": "x", "after": {}}, {"before": {"a": 1}}, {"list": [1]}])
def test_details_of_another_form_are_shown_as_they_are(details: dict[str, Any]) -> None:
    assert [one.name for one in details_of(details)] == list(details)
    assert not any(one.is_change for one in details_of(details))


def test_long_value_is_cut() -> None:
    (shown,) = details_of({"text": "x" * 5000})

    assert len(shown.after) == 2001


def test_every_action_has_words() -> None:
    assert set(action_words()) == set(AuditAction)
    assert set(_groups()) >= {action.partition(".")[0] for action in AuditAction}


@pytest.mark.parametrize(
    ("action", "subject", "path"),
    [
        ("account.changed", "7", "/console/accounts/7"),
        ("key.revoked", "3", "/console/keys/3"),
        ("key.created", "3/../..", ""),
        ("operator.created", "3", ""),
        ("account.imported", None, ""),
        ("generation.cancelled", "gen_1/..", "/console/generations/gen_1%2F.."),
        ("generation.cancelled", None, ""),
    ],
)
def test_subject_leads_to_its_page_where_it_has_one(action: str, subject: str | None, path: str) -> None:
    assert subject_path(action, subject) == path
