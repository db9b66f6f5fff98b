"""How an operator likes the console to be."""

from dataclasses import dataclass
from enum import StrEnum


class Language(StrEnum):
    """What the console is written in."""

    ENGLISH = "en"
    SIMPLIFIED_CHINESE = "zh-Hans"


class Density(StrEnum):
    """How close rows stand."""

    COMFORTABLE = "comfortable"
    COMPACT = "compact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """The look of the console for one operator; it changes nothing that is done.

    Attributes:
        language: None asks the browser.
        has_letter_keys: Whether single letters are shortcuts.
        is_live: Whether pages follow what happens without being loaded again.
    """

    language: Language | None = None
    density: Density = Density.COMFORTABLE
    has_letter_keys: bool = True
    is_live: bool = True


AS_IT_COMES = Preferences()
"""What nobody has changed."""
