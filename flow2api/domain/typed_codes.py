"""Codes of chance that people type in: letters and digits that are not taken for each other, in groups."""

import base64
import secrets

from flow2api.domain.secret import Secret


def new_code(bits: int, group: int) -> Secret:
    """A code that nobody guesses.

    Args:
        bits: How much chance there is in it.
        group: How many characters stand together.
    """
    text = base64.b32encode(secrets.token_bytes((bits + 7) // 8)).decode().rstrip("=").lower()
    return Secret("-".join(text[at : at + group] for at in range(0, len(text), group)))
