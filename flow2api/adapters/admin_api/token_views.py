"""Accounts as operators' tools know them: under the name of tokens, with ``-1`` for no limit."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from flow2api.domain.account import Account, AccountStatus, Capacity, Credentials, RestReason, Tier
from flow2api.domain.media import MediaKind
from flow2api.domain.statistics import Counts

MASK = "***"
NO_LIMIT = -1

Slots = Annotated[int, msgspec.Meta(ge=NO_LIMIT, le=10_000)]
"""How many generations at once; -1 is no limit."""
UPSTREAM = "flow"
"""The only one that the former server knew."""

_SOON = timedelta(hours=1)
_NOTHING = Counts()
_TIERS = {Tier.FREE: "PAYGATE_TIER_NOT_PAID", Tier.PRO: "PAYGATE_TIER_ONE", Tier.ULTRA: "PAYGATE_TIER_TWO"}
_BANS = {RestReason.RATE_LIMITED: "429_rate_limit", RestReason.ERROR_STREAK: "consecutive_errors"}


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """An account.

    Attributes:
        st: The session token; masked unless it is to be revealed.
        at: The access token, likewise; null when there is none yet.
        token: The same as ``at``.
        is_active: Whether it may work now.
        status: How it stands: ``active``, ``cooling_down``, ``suspended`` or ``disabled``.
        image_concurrency: How many pictures at once; -1 is no limit.
        video_concurrency: The same for videos.
        ban_reason: Why it does not work now; null when it does.
        banned_at: Since when.
        banned_until: When time alone ends that; null when only a cure does.
        consecutive_error_count: Faults of its own in a row.
    """

    id: int
    st: str | None
    at: str | None
    at_expires: datetime | None
    token: str | None
    email: str
    name: str
    remark: str
    is_active: bool
    status: str
    created_at: datetime
    last_used_at: datetime | None
    use_count: int
    credits: int
    user_paygate_tier: str | None
    current_project_id: str | None
    current_project_name: str | None
    image_enabled: bool
    video_enabled: bool
    image_concurrency: int
    video_concurrency: int
    image_count: int
    video_count: int
    error_count: int
    ban_reason: str | None
    banned_at: datetime | None
    banned_until: datetime | None
    consecutive_error_count: int
    at_expired: bool
    at_expiring_within_1h: bool


def token_view(
    account: Account,
    now: datetime,
    *,
    used: Mapping[int, Counts],
    last_used: Mapping[int, datetime],
    secrets: Mapping[int, Credentials] | None,
) -> TokenView:
    """The account as it is shown.

    Args:
        used: What the accounts have made so far.
        last_used: When they last made something.
        secrets: Their secrets, to be shown in full; None masks them.
    """
    rest, counts = account.blocking_rest(now), used.get(account.id, _NOTHING)
    session_token, access_token = _tokens(account, secrets)
    expires_at = account.access_expires_at
    return TokenView(
        id=account.id,
        st=session_token,
        at=access_token,
        at_expires=expires_at,
        token=access_token,
        email=account.email or "",
        name=account.name,
        remark=account.remark,
        is_active=account.status(now) is AccountStatus.ACTIVE,
        status=account.status(now).value,
        created_at=account.created_at,
        last_used_at=last_used.get(account.id),
        use_count=counts.images + counts.videos,
        credits=account.credits or 0,
        user_paygate_tier=None if account.tier is None else _TIERS[account.tier],
        current_project_id=account.workspace,
        current_project_name=account.workspace_name,
        image_enabled=account.capacity.image != 0,
        video_enabled=account.capacity.video != 0,
        image_concurrency=account.capacity.image or NO_LIMIT,
        video_concurrency=account.capacity.video or NO_LIMIT,
        image_count=counts.images,
        video_count=counts.videos,
        error_count=counts.errors,
        ban_reason=None if rest is None else _BANS.get(rest.reason, rest.reason.value),
        banned_at=None if rest is None else rest.since,
        banned_until=None if rest is None else rest.until,
        consecutive_error_count=account.streak,
        at_expired=expires_at is not None and expires_at <= now,
        at_expiring_within_1h=expires_at is not None and now < expires_at <= now + _SOON,
    )


def limit_of(*, enabled: bool | None, concurrency: int | None, before: int | None) -> int | None:
    """The slots of a kind after what a tool asks for: off is 0, no limit is None; what is left out stays.

    Args:
        before: The slots as they are.
    """
    if enabled is False:
        return 0
    if concurrency is not None:
        stays_off = enabled is None and before == 0
        return 0 if stays_off else None if concurrency < 0 else concurrency
    return None if enabled and before == 0 else before


def limits_of(
    before: Capacity,
    *,
    image_enabled: bool | None,
    video_enabled: bool | None,
    image_concurrency: int | None,
    video_concurrency: int | None,
) -> dict[MediaKind, int | None]:
    """The slots of each kind that something is asked of; what nobody names may be changed by others meanwhile."""
    stated = (
        (MediaKind.IMAGE, image_enabled, image_concurrency, before.image),
        (MediaKind.VIDEO, video_enabled, video_concurrency, before.video),
    )
    return {
        kind: limit_of(enabled=enabled, concurrency=concurrency, before=slots)
        for kind, enabled, concurrency, slots in stated
        if enabled is not None or concurrency is not None
    }


def _tokens(account: Account, secrets: Mapping[int, Credentials] | None) -> tuple[str | None, str | None]:
    if secrets is None:
        return MASK, None if account.access_expires_at is None else MASK
    credentials = secrets.get(account.id)
    if credentials is None:
        return None, None
    access_token = credentials.access_token
    return credentials.session_token.reveal(), None if access_token is None else access_token.reveal()
