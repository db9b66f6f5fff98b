"""What a key may be told to be."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.key_rules import EVERY_SCOPE, NO_RULES, KeyRules, KeyScope, scopes_named
from flow2api.domain.media import MediaKind
from flow2api.testing.samples import key_of

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_key_without_rules_may_do_everything_for_ever() -> None:
    NO_RULES.check(NOW)
    assert NO_RULES.scopes == EVERY_SCOPE
    assert not NO_RULES.has_expired(NOW)
    assert key_of("a").opens(NOW)


@pytest.mark.parametrize(("left", "is_over"), [(1, False), (0, True), (-1, True)])
def test_key_expires_at_its_moment(left: int, is_over: bool) -> None:
    assert KeyRules(expires_at=NOW + timedelta(seconds=left)).has_expired(NOW) is is_over


@pytest.mark.parametrize(
    ("scopes", "shown"),
    [
        (EVERY_SCOPE, {MediaKind.IMAGE, MediaKind.VIDEO}),
        ({KeyScope.IMAGES, KeyScope.MODELS}, {MediaKind.IMAGE}),
        ({KeyScope.VIDEOS}, {MediaKind.VIDEO}),
        ({KeyScope.MODELS}, {MediaKind.IMAGE, MediaKind.VIDEO}),
    ],
)
def test_models_are_shown_that_can_be_used_or_all_to_who_may_only_look(
    scopes: set[KeyScope], shown: set[MediaKind]
) -> None:
    rules = KeyRules(scopes=frozenset(scopes))
    assert {kind for kind in MediaKind if rules.shows(kind)} == shown


@pytest.mark.parametrize(
    ("rules", "param"),
    [
        ({"scopes": frozenset()}, "scopes"),
        ({"models": ("",)}, "models"),
        ({"models": (" paint",)}, "models"),
        ({"models": ("pa\nint",)}, "models"),
        ({"models": ("x" * 129,)}, "models"),
        ({"models": ("x",) * 51}, "models"),
        ({"expires_at": NOW}, "expires_at"),
        ({"expires_at": NOW + timedelta(days=3700)}, "expires_at"),
        ({"requests_per_min": -1}, "requests_per_min"),
        ({"max_concurrent": 1_000_001}, "max_concurrent"),
        ({"max_per_day": -1}, "max_per_day"),
    ],
)
def test_rules_that_cannot_be_kept_are_refused_by_name(rules: dict[str, Any], param: str) -> None:
    with pytest.raises(UnsupportedInputError) as caught:
        KeyRules(**rules).check(NOW)
    assert caught.value.param == param


def test_rules_at_their_bounds_can_be_kept() -> None:
    KeyRules(
        models=("x" * 128,) * 50,
        expires_at=NOW + timedelta(days=3653),
        requests_per_min=1_000_000,
        max_concurrent=0,
        max_per_day=1,
    ).check(NOW)


def test_scopes_are_found_by_name() -> None:
    assert scopes_named(["videos", "models"]) == {KeyScope.VIDEOS, KeyScope.MODELS}
    assert scopes_named([]) == EVERY_SCOPE
    with pytest.raises(UnsupportedInputError, match="no scope 'admin'; there are images, videos, models"):
        scopes_named(["images", "admin"])
