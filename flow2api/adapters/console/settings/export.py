"""The options as a file that a server can be given."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from flow2api.domain.options import OptionStanding

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def as_toml(options: Iterable[OptionStanding]) -> str:
    """A section of ``flow2api.toml`` with every option; those that have their default stand in comments."""
    lines = ["[options]"]
    for one in options:
        line = f"{one.name} = {_value(one.value)}"
        lines.append(f"# {line}" if one.value == one.default else line)
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, Mapping):
        pairs = (f"{_key(name)} = {_value(one)}" for name, one in sorted(value.items()))
        return f"{{ {', '.join(pairs)} }}" if value else "{}"
    return _text(str(value))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    # A basic string of TOML is written as one of JSON, but for DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
