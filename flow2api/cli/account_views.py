"""How accounts are shown: in tables, and as JSON."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from flow2api.cli.output import print_table
from flow2api.domain.account import Account, AccountStatus


class AccountOut(msgspec.Struct, frozen=True, kw_only=True):
    """An account as JSON. It holds no secret.

    Attributes:
        status: ``active``, ``cooling_down``, ``suspended`` or ``disabled``.
        reason: Why it rests; null when it does not.
        until: When that is over by itself; null when it is not, or when nobody knows.
        is_warm: Whether it is ready to serve without a call to its upstream first.
        tier: ``free``, ``pro`` or ``ultra``; null when not known yet.
        image_slots: How many pictures at once; null is no limit, 0 is off. The same for ``video_slots``.
    """

    id: int
    upstream: str
    name: str
    email: str | None
    remark: str
    status: str
    reason: str | None
    call: str | None
    why: str | None
    until: datetime | None
    is_warm: bool
    tier: str | None
    credits: int | None
    image_slots: int | None
    video_slots: int | None
    tags: tuple[str, ...]
    weight: int
    priority: int
    proxy: str | None
    workspace: str | None
    access_expires_at: datetime | None
    created_at: datetime


def account_out(account: Account, now: datetime) -> AccountOut:
    """The account as it stands now."""
    rest = account.blocking_rest(now) or account.partial_rest(now)
    return AccountOut(
        id=account.id,
        upstream=account.upstream,
        name=account.name,
        email=account.email,
        remark=account.remark,
        status=account.status(now).value,
        reason=None if rest is None else rest.reason.value,
        call=None if rest is None or rest.call is None else rest.call.value,
        why=None if rest is None else rest.why or None,
        until=None if rest is None else rest.until,
        is_warm=account.is_warm,
        tier=None if account.tier is None else account.tier.name.lower(),
        credits=account.credits,
        image_slots=account.capacity.image,
        video_slots=account.capacity.video,
        tags=tuple(sorted(account.tags)),
        weight=account.weight,
        priority=account.priority,
        proxy=account.proxy,
        workspace=account.workspace,
        access_expires_at=account.access_expires_at,
        created_at=account.created_at,
    )


def print_accounts(accounts: Iterable[AccountOut]) -> None:
    """Print a table of accounts."""
    print_table(
        ("ID", "NAME", "E-MAIL", "STATUS", "WHY", "TIER", "CREDITS", "IMAGES", "VIDEOS", "TAGS", "TOKEN UNTIL"),
        [
            (
                one.id,
                one.name,
                one.email,
                one.status.replace("_", " "),
                _why(one),
                one.tier,
                one.credits,
                _slots(one.image_slots),
                _slots(one.video_slots),
                one.tags,
                one.access_expires_at,
            )
            for one in accounts
        ],
        empty="There are no accounts; `flow2api accounts add` or `flow2api accounts import` brings some.",
    )


def _why(one: AccountOut) -> str | None:
    if one.reason is None:
        return None if one.is_warm or one.status != AccountStatus.ACTIVE else "warming"
    told = one.reason.replace("_", " ")
    told += f" of {one.call}s" if one.call is not None else ""
    told += f" until {one.until:%m-%d %H:%M}" if one.until is not None else ""
    return f"{told}: {one.why}" if one.why else told


def _slots(slots: int | None) -> str:
    return "any" if slots is None else "off" if slots == 0 else str(slots)
