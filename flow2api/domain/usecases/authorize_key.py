"""Who is calling: from a presented key to the key that we know."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Sequence

from flow2api.domain.api_key import ApiKey
from flow2api.domain.errors import ExpiredApiKeyError, InvalidApiKeyError
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import ApiKeys
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret

API_KEY_PURPOSE = "api-key"
_LOOKUPS_PER_S = 20
_LONGEST_KEY = 512


class AuthorizeKey:
    """Knows every key in memory, so that a call costs no query.

    A key that memory does not know (just made by the command line or another process) is looked up before it is refused,
    a few times a second at most, so that wrong keys cannot keep the database busy.
    """

    def __init__(
        self,
        api_keys: ApiKeys,
        cipher: Cipher,
        clock: Clock,
        loaded: Callable[[Sequence[ApiKey]], Awaitable[None]] | None = None,
    ) -> None:
        """Know none yet.

        Args:
            loaded: Told of all keys whenever they were loaded.
        """
        self._api_keys = api_keys
        self._cipher = cipher
        self._clock = clock
        self._known: dict[bytes, ApiKey] = {}
        self._digests: dict[bytes, bytes] = {}
        self._salt = secrets.token_bytes(16)
        self._window = 0
        self._lookups = 0
        self._loads = 0
        self._taken = 0
        self._loaded = loaded

    async def load(self) -> None:
        """Take every key from storage into memory, unless a load that began later was faster."""
        self._loads += 1
        number = self._loads
        keys = await self._api_keys.all()
        if number < self._taken:
            return
        self._taken = number
        self._known = {key.digest: key for key in keys}
        self._digests.clear()
        if self._loaded is not None:
            await self._loaded(keys)

    def tag_of(self, key_id: int | None) -> str | None:
        """The tag of accounts to which a key is bound, for work that goes on without its caller."""
        return next((key.tag for key in self._known.values() if key.id == key_id), None)

    def known(self, presented: str | None) -> ApiKey | None:
        """The active key, if memory knows it."""
        if not presented or len(presented) > _LONGEST_KEY:
            return None
        key = self._known.get(self._digest(presented))
        if key is None or key.revoked_at is not None:
            return None
        # The clock is not asked for keys that never expire, which is most of them.
        return None if key.rules.expires_at is not None and key.rules.has_expired(self._clock.now()) else key

    async def __call__(self, presented: str | None) -> ApiKey:
        """The active key that was presented.

        Raises:
            InvalidApiKeyError: There was none, it is unknown, it was revoked, or its time is over.
        """
        if not presented:
            raise InvalidApiKeyError(presented=False)
        if len(presented) > _LONGEST_KEY:
            raise InvalidApiKeyError(presented=True)
        digest = self._digest(presented)
        key = self._known.get(digest)
        if key is None and self._may_look_up():
            key = await self._api_keys.find(digest)
            if key is not None:
                # Who has loaded all keys while this one was looked for knows better whether it was revoked.
                key = self._known.setdefault(digest, key)
        if key is None or not key.is_active:
            raise InvalidApiKeyError(presented=True)
        if key.rules.expires_at is not None and key.rules.has_expired(self._clock.now()):
            raise ExpiredApiKeyError(key.rules.expires_at)
        return key

    def _digest(self, presented: str) -> bytes:
        """The digest under which storage knows a key; for keys that were seen before it is not made again.

        They are recognised by a quicker digest, salted anew in each process, so that no key stands in memory.
        """
        seen = hashlib.blake2b(presented.encode(), digest_size=16, key=self._salt).digest()
        digest = self._digests.get(seen)
        if digest is None:
            digest = self._cipher.digest(Secret(presented), purpose=API_KEY_PURPOSE)
            if digest in self._known:
                self._digests[seen] = digest
        return digest

    def _may_look_up(self) -> bool:
        window = int(self._clock.monotonic())
        if window != self._window:
            self._window, self._lookups = window, 0
        self._lookups += 1
        return self._lookups <= _LOOKUPS_PER_S
