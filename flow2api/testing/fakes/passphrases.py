"""Passphrases that are hashed in no time, and measured by what a test says."""

import asyncio
from collections.abc import Collection, Mapping
from itertools import count
from typing import TYPE_CHECKING

from flow2api.domain.secret import Secret

if TYPE_CHECKING:
    from flow2api.domain.ports.secrets import PassphraseMeter, Passphrases


class FakePassphrases:
    """Hides nothing, but no two hashes are alike.

    Attributes:
        method: Stands in every hash; another one makes the former hashes old.
        hashed: How many were hashed.
    """

    def __init__(self) -> None:
        self.method = "fake"
        self.hashed = 0
        self._salts = count(1)

    async def hash(self, passphrase: Secret) -> Secret:
        await asyncio.sleep(0)
        self.hashed += 1
        return Secret(f"{self.method}:{next(self._salts)}:{passphrase.reveal()}")

    async def verify(self, passphrase: Secret, kept: Secret | None) -> bool:
        await asyncio.sleep(0)
        return kept is not None and kept.reveal().split(":", 2)[2] == passphrase.reveal()

    def needs_rehash(self, kept: Secret) -> bool:
        return not kept.reveal().startswith(f"{self.method}:")


class FakeMeter:
    """Finds every passphrase good but those of which it was told, and those that are named near.

    Attributes:
        near: What was named near at the last measurement.
    """

    def __init__(self, guesses: Mapping[str, float] | None = None) -> None:
        self._guesses = guesses or {}
        self.near: tuple[str, ...] = ()

    async def guesses(self, passphrase: Secret, *, near: Collection[str]) -> float:
        self.near = tuple(near)
        text = passphrase.reveal()
        return 1.0 if text in near else self._guesses.get(text, 1e20)


if TYPE_CHECKING:
    _: tuple[Passphrases, PassphraseMeter] = FakePassphrases(), FakeMeter()
