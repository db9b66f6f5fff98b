"""Docstrings, values and tables as Markdown, for the generated parts of the reference."""

import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, Field
from pathlib import Path
from typing import Any

from flow2api.domain.secret import Secret
from flow2api.extensions.docstrings import of_each_field


def attributes(cls: type) -> dict[str, str]:
    """What the ``Attributes:`` section of a docstring says, by name, in Markdown."""
    found = of_each_field(cls.__doc__)
    return {name: markdown(text) for name, text in found.items()}


def markdown(text: str) -> str:
    """A docstring's text with its literals and references spelt as in Markdown."""
    return re.sub(r":\w+:`([^`]+)`", r"`\1`", text.replace("``", "`"))


def summary(thing: Any) -> str:
    """The first paragraph of a docstring, in one line."""
    first = inspect.cleandoc(thing.__doc__ or "").split("\n\n")[0]
    return markdown(" ".join(first.split()))


def shown(value: object) -> str:
    """A default as it would be written in the settings file."""
    if isinstance(value, Secret):
        return "empty"
    if isinstance(value, Path | str):
        return f"`{value}`" if str(value) else "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple | list | dict):
        return "empty" if not value else f"`{value}`"
    if value is None:
        return "none"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def kind_of(value: object) -> str:
    """The type of a setting in words, by its default."""
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case tuple():
            return "a list; in the environment, names with commas between"
        case dict():
            return "a table of lists; in the environment JSON"
        case Path():
            return "a path"
        case _:
            return "a text"


def default_of(field: "Field[Any]") -> object:
    """The default of a dataclass's field."""
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else None


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def sections(items: Iterable[str], level: int = 3) -> str:
    """Headings with their text, each item a heading line, a newline, and the rest."""
    return "\n".join(f"{'#' * level} {item.strip()}\n" for item in items)


def without_modules(text: str) -> str:
    """Names of types without the modules that they are from."""
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", text)
