"""Values of options as text and back."""

from dataclasses import fields
from typing import Any

import pytest

from flow2api.adapters.console.settings.typed import WrongValueError, is_same, kind_of, typed, value_of
from flow2api.domain.options import Options

VALUES: list[tuple[str, Any]] = [
    ("max_attempts", 3),
    ("image_timeout_s", 300.0),
    ("image_timeout_s", 0.5 + 1),
    ("picture_urls", True),
    ("picture_urls", False),
    ("plugins", ("one", "two")),
    ("plugins", ()),
    ("model_routes", {"paint": ("a", "b"), "film": ("c",)}),
    ("model_routes", {}),
    ("policy", "random"),
    ("plugin_settings", {"mine.colour": "a = b", "mine.size": "7"}),
]


@pytest.mark.parametrize(("name", "value"), VALUES)
def test_what_is_shown_is_read_as_the_same(name: str, value: Any) -> None:
    default = getattr(Options(), name)

    assert value_of(name, typed(value), default) == value


@pytest.mark.parametrize("name", [field.name for field in fields(Options)])
def test_every_default_is_read_as_itself(name: str) -> None:
    default = getattr(Options(), name)

    assert value_of(name, typed(default), default) == default
    assert kind_of(name, default) in ("switch", "number", "names", "routes", "lines", "text")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("max_attempts", "many"),
        ("max_attempts", "1.5"),
        ("max_attempts", "0"),
        ("max_attempts", ""),
        ("image_timeout_s", "nan"),
        ("image_timeout_s", "inf"),
        ("image_timeout_s", "1e99"),
        ("model_routes", "paint"),
        ("model_routes", "paint ="),
        ("model_routes", "= a, b"),
        ("plugin_settings", "mine.colour"),
        ("plugin_settings", "colour = red"),
    ],
)
def test_what_is_no_value_is_refused_in_words(name: str, text: str) -> None:
    with pytest.raises(WrongValueError, match=r"\.$"):
        value_of(name, text, getattr(Options(), name))


def test_line_ends_of_browsers_make_no_difference() -> None:
    assert is_same("a = b\r\nc = d", "a = b\nc = d\n")
    assert not is_same("a", "b")
