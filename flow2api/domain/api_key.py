"""Keys to our own API."""

from dataclasses import dataclass
from datetime import datetime

from flow2api.domain.key_rules import NO_RULES, KeyRules

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
        rules: What it may do, and how much of it.
        first_id: The key at the beginning of its line, for one that took another's place; all of a line count to one set of
            limits. None for one that is the first itself.
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
    rules: KeyRules = NO_RULES
    first_id: int | None = None

    @property
    def line_id(self) -> int:
        """The key whose name its limits are counted under: the first of its line."""
        return self.first_id or self.id

    @property
    def is_active(self) -> bool:
        """Whether it was not revoked; it may have expired all the same."""
        return self.revoked_at is None

    def opens(self, now: datetime) -> bool:
        """Whether it lets anybody in."""
        return self.revoked_at is None and not self.rules.has_expired(now)


def changed_fields(seen: ApiKey, now: ApiKey) -> tuple[str, ...]:
    """What is different of a key from how it was seen, as people call it; when it was last used is no change."""
    seen_as, is_now = _looked_at(seen), _looked_at(now)
    return tuple(name for name, value in seen_as.items() if is_now[name] != value)


def _looked_at(key: ApiKey) -> dict[str, object]:
    return {
        "name": key.name,
        "text": key.digest,
        "tag": key.tag,
        "profile": key.profile,
        "rules": key.rules,
        "revocation": key.revoked_at,
    }


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a generation is made for.

    Attributes:
        key_id: The API key that asked; None for the operator.
        tag: Only accounts with this tag may serve; None for all.
        rules: What the key may do, and how much of it.
        first_id: The key at the beginning of the line, for one that took another's place.
    """

    key_id: int | None
    tag: str | None = None
    rules: KeyRules = NO_RULES
    first_id: int | None = None

    @property
    def line_id(self) -> int:
        """The key whose name its limits are counted under; 0 for the operator, who has none."""
        return self.first_id or self.key_id or 0
