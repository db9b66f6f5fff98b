"""Which generations were asked for with certain words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flow2api.domain.generation import Generation

LONGEST_TEXT = 200
MOST_WORDS = 8


@dataclass(frozen=True, slots=True)
class FoundGenerations:
    """What a bounded look through the generations has found.

    Attributes:
        items: The one that was added last first.
        further: From the generation with this id on, in the same direction, nobody has looked yet; None when there is
            nothing more that could pass.
        looked_to: When the last one that was looked at was asked for; None when there was none.
    """

    items: tuple[Generation, ...]
    further: str | None
    looked_to: datetime | None


def words_of(text: str) -> tuple[str, ...]:
    """The words that are looked for; of a long text the first ones."""
    return tuple(dict.fromkeys(text[:LONGEST_TEXT].split()))[:MOST_WORDS]


def has_words(prompt: str, words: Sequence[str]) -> bool:
    """Whether each of the words, or more than it, stands somewhere in the prompt, in capitals or not."""
    folded = prompt.casefold()
    return all(word.casefold() in folded for word in words)


def found_among(
    looked_at: Sequence[Generation], found: Sequence[Generation], limit: int, *, is_back: bool, has_more: bool
) -> FoundGenerations:
    """A page of what was found, and how far the look came.

    Args:
        looked_at: All that were looked at, the one that was added last first.
        found: Those of them that pass.
        is_back: The look went from some place towards what was added later.
        has_more: Whether there are more in that direction that nobody has looked at.
    """
    if len(found) > limit:
        shown = found[-limit:] if is_back else found[:limit]
        edge, has_more = shown[0 if is_back else -1], True
    elif looked_at:
        shown, edge = found, looked_at[0 if is_back else -1]
    else:
        return FoundGenerations((), None, None)
    return FoundGenerations(tuple(shown), edge.id if has_more else None, edge.created_at)
