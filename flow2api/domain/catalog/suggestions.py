"""The names that a mistyped one may have meant."""

from collections.abc import Iterable
from difflib import get_close_matches
from functools import cached_property

SUGGESTIONS = 3
COMPARED = 16
CONTAINED = 0.4
LONGEST_COMPARED_NAME = 64
KEPT = 512


class NameSuggestions:
    """Finds similar names in well under a millisecond.

    The thorough comparison costs milliseconds for all names together, and anybody who has a key can ask for it; so
    only the few that share most three-letter pieces with the wanted name are compared.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        self._found: dict[str, tuple[str, ...]] = {}

    def nearest(self, name: str) -> tuple[str, ...]:
        """Up to three names, the most similar first; none when nothing is similar."""
        wanted = name[:LONGEST_COMPARED_NAME].casefold()
        found = self._found.get(wanted)
        if found is None:
            worth = self._worth_comparing(wanted)
            found = tuple(get_close_matches(wanted, worth, n=SUGGESTIONS)) or tuple(self._containing(wanted, worth))
            if len(self._found) >= KEPT:
                self._found.clear()
            self._found[wanted] = found
        return found

    @cached_property
    def _pieces(self) -> list[tuple[str, frozenset[str]]]:
        """Of all names, cut when the first is mistyped: that takes longer than a start has for it."""
        return [(name, _pieces(name)) for name in self._names]

    def _containing(self, wanted: str, names: list[str]) -> list[str]:
        """For a short name the longer ones that have most of it in them: ``veo-3.1`` is like no name as a whole."""
        sought = _pieces(wanted) - {f"{wanted}$"[-3:]}
        shares = [(len(sought & _pieces(name)) / max(1, len(sought)), name) for name in names]
        return [name for share, name in sorted(shares, key=lambda one: -one[0]) if share >= CONTAINED][:SUGGESTIONS]

    def _worth_comparing(self, wanted: str) -> list[str]:
        sought = _pieces(wanted)
        scores = [(len(sought & pieces) / len(sought | pieces), name) for name, pieces in self._pieces]
        scores.sort(reverse=True)
        return [name for score, name in scores[:COMPARED] if score > 0]


def _pieces(name: str) -> frozenset[str]:
    padded = f"^{name.casefold()}$"
    return frozenset(padded[at : at + 3] for at in range(max(1, len(padded) - 2)))
