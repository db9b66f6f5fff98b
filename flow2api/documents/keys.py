"""API keys as JSON, without their text."""

from datetime import datetime

import msgspec

from flow2api.domain.api_key import ApiKey


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key, without its text.

    Attributes:
        prefix: Its first characters, to recognise it by.
        revoked_at: When it was revoked; null while it opens something.
        tag: It may only use accounts with this tag; null for all.
        profile: How answers are written for its client; null as the option `response_profile` says.
        scopes: The parts of the API that it opens: `images`, `videos`, `models`.
        models: Names and patterns of the models that it may use; none for all.
        expires_at: From when on it opens nothing; null for never.
        requests_per_min: How many requests it may begin in a minute; 0 for any number, null as the option says.
        max_concurrent: How many of its generations may be under way at once in a process; 0 for any number.
        max_per_day: How many pictures and videos it may have made in a day of UTC; 0 for any number.
        first_id: The key that its limits are counted with, for one that took its place, or that of one that did; null for none.
    """

    id: int
    name: str
    prefix: str
    tag: str | None
    profile: str | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    scopes: tuple[str, ...]
    models: tuple[str, ...]
    expires_at: datetime | None
    requests_per_min: int | None
    max_concurrent: int
    max_per_day: int
    first_id: int | None


def key_view(key: ApiKey) -> KeyView:
    """A key as it is shown."""
    return KeyView(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        tag=key.tag,
        profile=key.profile,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
        scopes=tuple(sorted(key.rules.scopes)),
        models=key.rules.models,
        expires_at=key.rules.expires_at,
        requests_per_min=key.rules.requests_per_min,
        max_concurrent=key.rules.max_concurrent,
        max_per_day=key.rules.max_per_day,
        first_id=key.first_id,
    )
