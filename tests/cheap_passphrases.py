"""Passphrases that cost next to nothing: nobody guesses those of a test, and the real cost is a fifth of a second each.

What the real cost is, and that all else holds at it, is for the tests of the vault to say.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from flow2api.adapters.vault import Argon2Passphrases, passphrase
from flow2api.app import composition

CHEAP = partial(Argon2Passphrases, memory_kib=64, passes=1)
"""What hashes the passphrases of operators."""


@contextmanager
def cheap_passphrases() -> Iterator[None]:
    """Whatever is composed in this block hashes the passphrases of operators cheaply, for as long as it lives."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composition, "Argon2Passphrases", CHEAP)
        yield


def seal_cheaply(patch: pytest.MonkeyPatch) -> None:
    """Let documents be sealed and opened at next to no cost, until the patch is undone."""
    patch.setattr(passphrase, "COST", 16)
