"""Accounts and their health as JSON. None of them holds a secret."""

from datetime import datetime
from typing import Any

import msgspec

from flow2api.domain.account import Account, Rest
from flow2api.domain.health import HealthEvent
from flow2api.domain.trash import DeletedAccount


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account.

    Attributes:
        status: ``active``, ``cooling_down``, ``suspended`` or ``disabled``.
        reason: Why it rests; null when it does not. An active account may rest from a part of what it does.
        call: The kind of call that this is limited to; null for all that it does.
        until: When that is over by itself; null when it is not, or when nobody knows.
        is_warm: Whether it is ready to serve without a call to its upstream first.
        tier: ``free``, ``pro`` or ``ultra``; null when not known yet.
        image_slots: How many pictures at once; null is no limit, 0 is off. The same for ``video_slots``.
        proxy: The proxy or pool that it uses, ``direct`` for none; null for what the option ``proxy`` says.
        base_url: Where it is served; null for upstreams that know that themselves.
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
    base_url: str | None
    workspace: str | None
    access_expires_at: datetime | None
    created_at: datetime


class RestView(msgspec.Struct, frozen=True, kw_only=True):
    """One reason for rest.

    Attributes:
        until: When it ends by itself; null when only its cure lifts it.
        model: The model that it is limited to; null for every model. The same for ``call`` and kinds of call.
        holds: Whether it keeps the account from work now; one that is over tells how long the next one would be.
    """

    reason: str
    since: datetime
    until: datetime | None
    model: str | None
    call: str | None
    why: str
    step: int
    holds: bool


class WholeAccount(AccountView, frozen=True, kw_only=True):
    """An account with what keeps it from work.

    Attributes:
        streaks: Faults of its own in a row, by kind of call.
    """

    rests: tuple[RestView, ...]
    streaks: dict[str, int]


class DeletedAccountView(msgspec.Struct, frozen=True, kw_only=True):
    """A deleted account that can be brought back.

    Attributes:
        kept_until: After this it is gone for good.
    """

    id: int
    upstream: str
    name: str
    email: str | None
    remark: str
    tags: tuple[str, ...]
    deleted_at: datetime
    deleted_by: str
    kept_until: datetime


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that an account went through.

    Attributes:
        cause: What brought it about, in words for people.
        by: ``server``, ``time`` or ``operator``; who that was the audit log knows.
    """

    number: int
    at: datetime
    kind: str
    reason: str | None
    model: str | None
    call: str | None
    until: datetime | None
    cause: str
    by: str


def account_view(account: Account, now: datetime) -> AccountView:
    """The account as it stands now."""
    return AccountView(**_fields(account, now))


def whole_account(account: Account, now: datetime) -> WholeAccount:
    """The account with its reasons for rest."""
    return WholeAccount(
        **_fields(account, now),
        rests=tuple(rest_view(rest, now) for rest in account.rests),
        streaks={"any" if one.call is None else one.call.value: one.faults for one in account.streaks},
    )


def deleted_account_view(deleted: DeletedAccount) -> DeletedAccountView:
    """A deleted account, and who deleted it when."""
    account = deleted.account
    return DeletedAccountView(
        id=account.id,
        upstream=account.upstream,
        name=account.name,
        email=account.email,
        remark=account.remark,
        tags=tuple(sorted(account.tags)),
        deleted_at=deleted.deleted_at,
        deleted_by=deleted.deleted_by,
        kept_until=deleted.gone_at,
    )


def event_view(event: HealthEvent) -> EventView:
    """An event of the timeline."""
    return EventView(
        number=event.number,
        at=event.at,
        kind=event.kind.value,
        reason=None if event.reason is None else event.reason.value,
        model=event.model,
        call=None if event.call is None else event.call.value,
        until=event.until,
        cause=event.cause,
        by=event.by,
    )


def _fields(account: Account, now: datetime) -> dict[str, Any]:
    rest = account.blocking_rest(now) or account.partial_rest(now)
    return {
        "id": account.id,
        "upstream": account.upstream,
        "name": account.name,
        "email": account.email,
        "remark": account.remark,
        "status": account.status(now).value,
        "reason": None if rest is None else rest.reason.value,
        "call": None if rest is None or rest.call is None else rest.call.value,
        "why": None if rest is None else rest.why or None,
        "until": None if rest is None else rest.until,
        "is_warm": account.is_warm,
        "tier": None if account.tier is None else account.tier.name.lower(),
        "credits": account.credits,
        "image_slots": account.capacity.image,
        "video_slots": account.capacity.video,
        "tags": tuple(sorted(account.tags)),
        "weight": account.weight,
        "priority": account.priority,
        "proxy": account.proxy,
        "base_url": account.base_url,
        "workspace": account.workspace,
        "access_expires_at": account.access_expires_at,
        "created_at": account.created_at,
    }


def rest_view(rest: Rest, now: datetime) -> RestView:
    """A reason for rest as it stands now."""
    return RestView(
        reason=rest.reason.value,
        since=rest.since,
        until=rest.until,
        model=rest.model,
        call=None if rest.call is None else rest.call.value,
        why=rest.why,
        step=rest.step,
        holds=rest.holds(now),
    )
