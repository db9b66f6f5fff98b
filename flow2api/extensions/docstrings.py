"""What the docstring of a section's struct says, as a whole and of each of its settings."""

import inspect
import re
from itertools import takewhile
from textwrap import dedent

_ATTRIBUTES = re.compile(r"^Attributes:$", re.MULTILINE)
_NAMED = re.compile(r"(\w+): (.*)")


def about(docstring: str | None) -> str:
    """What stands before the settings are gone through one by one."""
    return _ATTRIBUTES.split(inspect.cleandoc(docstring or ""), maxsplit=1)[0].strip()


def of_each_field(docstring: str | None) -> dict[str, str]:
    """What the part ``Attributes:`` says, by name, each in one line; empty when there is none."""
    _, *told = _ATTRIBUTES.split(inspect.cleandoc(docstring or ""), maxsplit=1)
    part = takewhile(lambda line: not line or line[0] == " ", "".join(told).splitlines())
    found: dict[str, str] = {}
    name = ""
    for line in dedent("\n".join(part)).splitlines():
        if head := _NAMED.match(line):
            name = head[1]
            found[name] = head[2].strip()
        elif line.strip() and name:
            found[name] += f" {line.strip()}"
    return found
