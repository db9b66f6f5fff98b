"""``/api/admin/keys``: the keys of clients."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from litestar import get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import FRESH, LEAST_ROLE, actor_of
from flow2api.adapters.admin_api.resources.queries import PREFIX, HttpRequest
from flow2api.adapters.admin_api.schemas import Body, Id
from flow2api.documents.keys import KeyView, key_view
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.key_rules import NO_RULES, KeyRules, scopes_named
from flow2api.domain.operator import Role

_RULES = ("scopes", "models", "expires_at", "requests_per_min", "max_concurrent", "max_per_day")
_MOST_HOURS = 8784

ONE = f"{PREFIX}/keys/{{key_id:int}}"


class NewKey(KeyView, frozen=True, kw_only=True):
    """A new key.

    Attributes:
        key: Its text, which is shown this once.
    """

    key: str


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """Every key, revoked ones included, oldest first."""

    items: tuple[KeyView, ...]
    next_cursor: str | None = None


class NewKeyBody(Body, frozen=True):
    """What a key is to be called (``key 1``, ``key 2``, … without a name), the tag of accounts that it may use, the response
    profile of its client, and what it may do; without any of the latter it may do everything for ever.
    """

    name: str | None = None
    tag: str | None = None
    profile: str | None = None
    scopes: list[str] | UnsetType = UNSET
    models: list[str] | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET
    requests_per_min: int | UnsetType | None = UNSET
    max_concurrent: int | UnsetType = UNSET
    max_per_day: int | UnsetType = UNSET


class RotateBody(Body, frozen=True):
    """For how many hours the former key goes on; without, until it is revoked."""

    overlap_hours: float | None = None


class KeyBody(Body, frozen=True):
    """What is to change; what is left out stays. A tag of null lets the key use all accounts, a profile of null is the option's.

    No scopes are all of them, and no models as well.
    """

    name: str | UnsetType = UNSET
    tag: str | UnsetType | None = UNSET
    profile: str | UnsetType | None = UNSET
    scopes: list[str] | UnsetType = UNSET
    models: list[str] | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET
    requests_per_min: int | UnsetType | None = UNSET
    max_concurrent: int | UnsetType = UNSET
    max_per_day: int | UnsetType = UNSET


def key_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers."""
    owner = {LEAST_ROLE: Role.OWNER}

    @get(f"{PREFIX}/keys", tags=["keys"])
    async def list_keys() -> Keys:
        """The keys, without their texts."""
        return Keys(items=tuple(key_view(key) for key in await doors.keys.all()))

    @post(f"{PREFIX}/keys", opt=owner, tags=["keys"])
    async def create_key(request: HttpRequest, data: JSONBody[NewKeyBody]) -> NewKey:
        """Make a key. It works at once, and this answer is the only one that shows it."""
        rules = _rules(data, NO_RULES)
        key, text = await doors.keys.create(
            data.name, tag=data.tag, profile=data.profile, rules=rules, actor=actor_of(doors, request.scope)
        )
        await doors.reload_keys()
        return NewKey(**msgspec.structs.asdict(key_view(key)), key=text.reveal())

    @get(ONE, tags=["keys"])
    async def show_key(key_id: Id) -> KeyView:
        """One key, revoked or not."""
        return key_view(await doors.keys.get(key_id))

    @patch(ONE, opt=owner, tags=["keys"])
    async def change_key(request: HttpRequest, key_id: Id, data: JSONBody[KeyBody]) -> KeyView:
        """Change what an active key is called and may do; it holds from the next request on."""
        name = None if isinstance(data.name, UnsetType) else data.name
        tag = None if isinstance(data.tag, UnsetType) else data.tag or ""
        profile = None if isinstance(data.profile, UnsetType) else data.profile or ""
        seen = await doors.keys.get(key_id)
        rules = _rules(data, seen.rules)
        if name is None and tag is None and profile is None and rules is seen.rules:
            raise UnsupportedInputError("Say what is to be changed: name, tag, profile, or what it may do.")
        actor = actor_of(doors, request.scope)
        changed = await doors.keys.update(
            str(key_id), name=name, tag=tag, profile=profile, rules=rules, actor=actor, seen=seen
        )
        await doors.reload_keys()
        return key_view(changed)

    @post(f"{ONE}/rotate", opt={**owner, FRESH: True}, tags=["keys"])
    async def rotate_key(request: HttpRequest, key_id: Id, data: JSONBody[RotateBody]) -> NewKey:
        """Make a key in the place of an active one. This answer is the only one that shows it."""
        actor = actor_of(doors, request.scope)
        key, text = await doors.keys.rotate(str(key_id), actor, overlap=_hours(data.overlap_hours))
        await doors.reload_keys()
        return NewKey(**msgspec.structs.asdict(key_view(key)), key=text.reveal())

    @post(f"{ONE}/revoke", status_code=200, opt=owner, tags=["keys"])
    async def revoke_key(request: HttpRequest, key_id: Id) -> KeyView:
        """Let an active key open nothing any more. It stays in the list."""
        revoked = await doors.keys.revoke(str(key_id), actor_of(doors, request.scope))
        await doors.reload_keys()
        return key_view(revoked)

    return [list_keys, create_key, show_key, change_key, rotate_key, revoke_key]


def _rules(data: NewKeyBody | KeyBody, before: KeyRules) -> KeyRules:
    """The rules with what the body names; the very same where it names nothing."""
    asked: dict[str, Any] = {name: value for name in _RULES if not isinstance(value := getattr(data, name), UnsetType)}
    if "scopes" in asked:
        asked["scopes"] = scopes_named(asked["scopes"])
    if "models" in asked:
        asked["models"] = tuple(asked["models"])
    if (moment := asked.get("expires_at")) is not None:
        asked["expires_at"] = _in_utc(moment)
    return replace(before, **asked) if asked else before


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise UnsupportedInputError("`expires_at` is a time within ten years.", param="expires_at") from error


def _hours(number: float | None) -> timedelta | None:
    if number is None:
        return None
    if not 0 < number <= _MOST_HOURS:
        raise UnsupportedInputError(
            f"`overlap_hours` is more than 0 and at most {_MOST_HOURS:,}.", param="overlap_hours"
        )
    return timedelta(hours=number)
