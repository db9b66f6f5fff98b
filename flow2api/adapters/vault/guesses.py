"""How easily passphrases are guessed, measured by zxcvbn: lists of leaked ones, words, names, dates, keys side by side."""

import asyncio
import threading
from collections.abc import Collection
from typing import TYPE_CHECKING

from flow2api.domain.secret import Secret

MEASURED_CHARACTERS = 72
"""The time it takes grows with the cube of the length, and what is good so far does not get worse behind."""

_turn = threading.Lock()


class ZxcvbnMeter:
    """Measures in a thread; the lists, about 13 MiB, are loaded at the first use."""

    async def guesses(self, passphrase: Secret, *, near: Collection[str]) -> float:
        return await asyncio.to_thread(_guesses, passphrase.reveal()[:MEASURED_CHARACTERS], tuple(near))


def _guesses(text: str, near: tuple[str, ...]) -> float:
    # Imported here: most processes never meet a new passphrase.
    from zxcvbn import zxcvbn  # type: ignore[import-untyped]  # noqa: PLC0415

    with _turn:  # the library keeps what is near in a variable of its module
        return float(zxcvbn(text, user_inputs=near)["guesses"])


if TYPE_CHECKING:
    from flow2api.domain.ports.secrets import PassphraseMeter

    def _is_a_meter(meter: ZxcvbnMeter) -> PassphraseMeter:
        return meter
