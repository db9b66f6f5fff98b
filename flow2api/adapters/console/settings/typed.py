"""Values of options as they are typed into forms, and back."""

import math
from collections.abc import Mapping
from typing import Any

from flow2api.adapters.console.language import gettext
from flow2api.domain.options import bounds_of

ON = "on"


class WrongValueError(ValueError):
    """What was typed is no value of the option; its text says so in the page's language."""


_LINES = "plugin_settings"


def kind_of(name: str, default: object) -> str:
    """The control for an option: ``switch``, ``number``, ``names``, ``routes``, ``lines`` or ``text``."""
    if isinstance(default, bool):
        return "switch"
    if isinstance(default, int | float):
        return "number"
    if isinstance(default, tuple):
        return "names"
    if isinstance(default, Mapping):
        return "lines" if name == _LINES else "routes"
    return "text"


def typed(value: Any) -> str:
    """A value as its field shows it."""
    if isinstance(value, bool):
        return ON if value else ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Mapping):
        return "\n".join(f"{name} = {_right_side(one)}" for name, one in sorted(value.items()))
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return str(value)


def _right_side(value: str | list[str] | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def value_of(name: str, text: str, default: object) -> Any:
    """What was typed, in the option's own type.

    Raises:
        WrongValueError: It is none of its values.
    """
    kind, text = kind_of(name, default), text.strip()
    if kind == "switch":
        return text == ON
    if kind == "number":
        return _number(name, text, is_whole=isinstance(default, int))
    if kind == "names":
        return tuple(one.strip() for one in text.split(",") if one.strip())
    if kind == "lines":
        return _lines(text)
    return _routes(text) if kind == "routes" else text


def is_same(text: str, other: str) -> bool:
    """Whether two texts of a field mean the same."""
    return text.replace("\r\n", "\n").strip() == other.replace("\r\n", "\n").strip()


def _number(name: str, text: str, *, is_whole: bool) -> int | float:
    least, most = bounds_of(name)
    try:
        value = int(text) if is_whole else float(text)
    except ValueError:
        raise WrongValueError(
            gettext("This has to be a whole number.") if is_whole else gettext("This has to be a number.")
        ) from None
    if not (math.isfinite(value) and least <= value <= most):
        raise WrongValueError(
            gettext("This has to be between %(least)s and %(most)s.") % {"least": f"{least:g}", "most": f"{most:.15g}"}
        )
    return value


def _routes(text: str) -> dict[str, tuple[str, ...]]:
    routes: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        name, sign, models = line.partition("=")
        names = tuple(one.strip() for one in models.split(",") if one.strip())
        if not line.strip():
            continue
        if not sign or not name.strip() or not names:
            raise WrongValueError(gettext("Each line is a name, an equals sign, and models with commas between."))
        routes[name.strip()] = names
    return routes


def _lines(text: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in text.splitlines():
        name, sign, value = line.partition("=")
        if not line.strip():
            continue
        if not sign or "." not in name.strip(" ."):
            raise WrongValueError(gettext("Each line is a section, a point, a name, an equals sign, and the value."))
        values[name.strip()] = value.strip()
    return values
