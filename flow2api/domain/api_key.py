"""Keys to our own API."""

from dataclasses import dataclass
from datetime import datetime

KEY_PREFIX = "f2a_"
VISIBLE_CHARACTERS = len(KEY_PREFIX) + 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key to our API. The key itself is shown once, at its making, and only its keyed hash is kept.

    Attributes:
        prefix: The first characters of the key, for people to recognise it.
        digest: Keyed hash (HMAC-SHA-256) of the whole key.
        tag: The key may only use accounts with this tag; None for all.
        profile: How answers are written for its client, by the name of a response profile; None as the option says.
    """

    id: int
    name: str
    prefix: str
    digest: bytes
    created_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    tag: str | None = None
    profile: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a generation is made for.

    Attributes:
        key_id: The API key that asked; None for the operator.
        tag: Only accounts with this tag may serve; None for all.
    """

    key_id: int | None
    tag: str | None = None
