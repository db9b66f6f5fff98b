"""Makes and revokes keys to our API."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import count

from flow2api.domain.api_key import KEY_PREFIX, VISIBLE_CHARACTERS, ApiKey
from flow2api.domain.errors import ConflictError, UnsupportedInputError
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import ApiKeys
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.authorize_key import API_KEY_PURPOSE

_RANDOM_BYTES = 32
_LONGEST_NAME = 64


class ManageKeys:
    """What an operator does with keys."""

    def __init__(self, api_keys: ApiKeys, cipher: Cipher, clock: Clock) -> None:
        self._api_keys = api_keys
        self._cipher = cipher
        self._clock = clock

    async def create(self, name: str | None = None) -> tuple[ApiKey, Secret]:
        """A new key and its text, which is shown this once and not kept.

        Args:
            name: None takes the first of ``key 1``, ``key 2``, … that no active key has.

        Raises:
            UnsupportedInputError: The name is empty, too long, unprintable, or a number, which could be taken for an id.
            ConflictError: An active key has this name.
        """
        name = _free_name({key.name for key in await self.all() if key.is_active}) if name is None else name.strip()
        if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
            raise UnsupportedInputError(f"A key's name has 1 to {_LONGEST_NAME} printable characters.", param="name")
        if name.isdecimal():
            raise UnsupportedInputError("A key's name cannot be a number alone, for ids are numbers.", param="name")
        text = KEY_PREFIX + secrets.token_urlsafe(_RANDOM_BYTES)
        key = ApiKey(
            id=0,
            name=name,
            prefix=text[:VISIBLE_CHARACTERS],
            digest=self._cipher.digest(Secret(text), purpose=API_KEY_PURPOSE),
            created_at=self._clock.now(),
        )
        return await self._api_keys.add(key), Secret(text)

    async def all(self) -> Sequence[ApiKey]:
        """Every key, revoked ones included, oldest first."""
        return await self._api_keys.all()

    async def revoke(self, which: str) -> ApiKey:
        """Let the active key with this name or id open nothing any more.

        Raises:
            ConflictError: There is no such active key.
        """
        for key in await self._api_keys.all():
            if key.is_active and which in (key.name, str(key.id)):
                revoked = replace(key, revoked_at=self._clock.now())
                await self._api_keys.save(revoked)
                return revoked
        raise ConflictError(f"There is no active key {which[:_LONGEST_NAME]!r}; `flow2api keys list` shows them.")


def _free_name(taken: Collection[str]) -> str:
    return next(name for number in count(1) if (name := f"key {number}") not in taken)
