"""What is said of a passphrase."""

import pytest

from flow2api.domain.passphrase_strength import LEAST_GUESSES, PassphraseStrength, strength_of


@pytest.mark.parametrize(
    ("guesses", "strength", "is_enough"),
    [
        (0, PassphraseStrength.WEAK, False),
        (LEAST_GUESSES - 1, PassphraseStrength.WEAK, False),
        (LEAST_GUESSES, PassphraseStrength.FAIR, True),
        (1e11, PassphraseStrength.GOOD, True),
        (1e14, PassphraseStrength.STRONG, True),
    ],
)
def test_more_tries_are_better(guesses: float, strength: PassphraseStrength, is_enough: bool) -> None:
    assert strength_of(guesses) is strength
    assert strength.is_enough is is_enough
