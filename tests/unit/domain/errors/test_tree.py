"""The tree as it is drawn, and as it is."""

import re
from collections.abc import Iterator

from flow2api.domain import errors
from flow2api.domain.errors import Flow2ApiError

BRANCH = re.compile(r"^    (?P<lines>[│├└─ ]*)(?P<name>\w+Error)\b")


def drawn() -> dict[str, str | None]:
    """Each name with that of its parent."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := BRANCH.match(line):
            del path[len(found["lines"]) // 4 :]
            parents[found["name"]] = path[-1] if path else None
            path.append(found["name"])
    return parents


def below(parent: type[Flow2ApiError]) -> Iterator[tuple[str, str]]:
    for child in parent.__subclasses__():
        if child.__module__.startswith(f"{errors.__name__}."):
            yield child.__name__, parent.__name__
            yield from below(child)


def test_every_error_is_drawn_under_its_parent() -> None:
    assert drawn() == {Flow2ApiError.__name__: None, **dict(below(Flow2ApiError))}


def test_every_error_is_imported_from_the_package() -> None:
    assert drawn().keys() <= set(errors.__all__)
