"""How well a passphrase withstands whoever tries to guess it."""

from enum import StrEnum

LEAST_GUESSES = 1e8
"""How many tries a passphrase has to withstand at least: at a fifth of a second each, over half a year of one core."""

_GOOD_GUESSES = 1e11
_STRONG_GUESSES = 1e14


class PassphraseStrength(StrEnum):
    """What is to be said of a passphrase; only from ``FAIR`` on it is taken."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    WEAK = "weak"
    FAIR = "fair"
    GOOD = "good"
    STRONG = "strong"

    @property
    def is_enough(self) -> bool:
        """Whether it is taken."""
        return self in (PassphraseStrength.FAIR, PassphraseStrength.GOOD, PassphraseStrength.STRONG)


def strength_of(guesses: float) -> PassphraseStrength:
    """What a number of tries amounts to."""
    if guesses < LEAST_GUESSES:
        return PassphraseStrength.WEAK
    if guesses < _GOOD_GUESSES:
        return PassphraseStrength.FAIR
    return PassphraseStrength.GOOD if guesses < _STRONG_GUESSES else PassphraseStrength.STRONG
