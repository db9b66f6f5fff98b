"""What the operator's browser extension presents."""

from dataclasses import dataclass
from datetime import datetime

CONNECTION_TOKEN_PREFIX = "f2c_"  # noqa: S105  # what every one begins with, and no secret
VISIBLE_CHARACTERS = len(CONNECTION_TOKEN_PREFIX) + 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionToken:
    """The only token that lets an extension hand over session tokens; it opens nothing else. Its text is shown once.

    Attributes:
        prefix: Its first characters, for people to recognise it.
        digest: Keyed hash (HMAC-SHA-256) of the whole token.
    """

    prefix: str
    digest: bytes
    created_at: datetime
