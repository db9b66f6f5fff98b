"""Which versions of the program a plugin wants."""

import re

_RELEASE = re.compile(r"\d+(?:\.\d+)*")
_CLAUSE = re.compile(r"(?P<comparison>>=|<=|==|!=|~=|>|<)\s*(?P<release>\d+(?:\.\d+)*)")


def fits(version: str, wanted: str) -> bool:
    """Whether a version is one of those wanted.

    Args:
        wanted: Comparisons with commas between, all of which have to hold, as in ``>=0.2,<1``.

    Raises:
        ValueError: It is written in another way.
    """
    ours = _release(version)
    return all(_holds(ours, clause.strip()) for clause in wanted.split(",") if clause.strip())


def requirement_on(project: str, requirements: list[str]) -> str:
    """What a distribution's requirements say about one project, as `fits` reads it; empty when they say nothing."""
    for requirement in requirements:
        found = re.fullmatch(
            rf"{project}(?![\w.-])\s*(?:\[[^\]]*\])?\s*\(?(?P<wanted>[^;)]*)\)?\s*(?:;.*)?", requirement, re.IGNORECASE
        )
        if found is not None and "extra" not in requirement.partition(";")[2]:
            return found["wanted"].strip()
    return ""


def _holds(ours: tuple[int, ...], clause: str) -> bool:
    found = _CLAUSE.fullmatch(clause)
    if found is None:
        raise ValueError(f"{clause!r} is no comparison such as >=0.2")
    theirs = _release(found["release"])
    width = max(len(ours), len(theirs))
    one, other = _padded(ours, width), _padded(theirs, width)
    match found["comparison"]:
        case ">=":
            return one >= other
        case "<=":
            return one <= other
        case "==":
            return one == other
        case "!=":
            return one != other
        case ">":
            return one > other
        case "<":
            return one < other
        case _:  # ~=
            return one >= other and ours[: max(1, len(theirs) - 1)] == theirs[: max(1, len(theirs) - 1)]


def _release(version: str) -> tuple[int, ...]:
    found = _RELEASE.match(version)
    if found is None:
        raise ValueError(f"{version!r} is no version")
    return tuple(map(int, found[0].split(".")))


def _padded(release: tuple[int, ...], width: int) -> tuple[int, ...]:
    return release + (0,) * (width - len(release))
