"""``/api/admin/keys``: the keys of clients."""

from datetime import datetime

import msgspec
from litestar import get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody
from msgspec import UNSET, UnsetType

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import LEAST_ROLE, actor_of
from flow2api.adapters.admin_api.resources.queries import PREFIX, HttpRequest
from flow2api.adapters.admin_api.schemas import Body, Id
from flow2api.domain.api_key import ApiKey
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.operator import Role

ONE = f"{PREFIX}/keys/{{key_id:int}}"


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A key, without its text.

    Attributes:
        prefix: Its first characters, to recognise it by.
        revoked_at: When it was revoked; null while it opens something.
        tag: It may only use accounts with this tag; null for all.
        profile: How answers are written for its client; null as the option `response_profile` says.
    """

    id: int
    name: str
    prefix: str
    tag: str | None
    profile: str | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


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
    """What a key is to be called (``key 1``, ``key 2``, … without a name), the tag of accounts that it may use, and the response
    profile of its client.
    """

    name: str | None = None
    tag: str | None = None
    profile: str | None = None


class KeyBody(Body, frozen=True):
    """What is to change; what is left out stays. A tag of null lets the key use all accounts, a profile of null is the option's."""

    name: str | UnsetType = UNSET
    tag: str | UnsetType | None = UNSET
    profile: str | UnsetType | None = UNSET


def key_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers."""
    owner = {LEAST_ROLE: Role.OWNER}

    @get(f"{PREFIX}/keys", tags=["keys"])
    async def list_keys() -> Keys:
        """The keys, without their texts."""
        return Keys(items=tuple(_view(key) for key in await doors.keys.all()))

    @post(f"{PREFIX}/keys", opt=owner, tags=["keys"])
    async def create_key(request: HttpRequest, data: JSONBody[NewKeyBody]) -> NewKey:
        """Make a key. It works at once, and this answer is the only one that shows it."""
        key, text = await doors.keys.create(
            data.name, tag=data.tag, profile=data.profile, actor=actor_of(doors, request.scope)
        )
        await doors.reload_keys()
        return NewKey(**msgspec.structs.asdict(_view(key)), key=text.reveal())

    @get(ONE, tags=["keys"])
    async def show_key(key_id: Id) -> KeyView:
        """One key, revoked or not."""
        return _view(await doors.keys.get(key_id))

    @patch(ONE, opt=owner, tags=["keys"])
    async def change_key(request: HttpRequest, key_id: Id, data: JSONBody[KeyBody]) -> KeyView:
        """Give an active key another name, tag or profile; it holds from the next request on."""
        name = None if isinstance(data.name, UnsetType) else data.name
        tag = None if isinstance(data.tag, UnsetType) else data.tag or ""
        profile = None if isinstance(data.profile, UnsetType) else data.profile or ""
        if name is None and tag is None and profile is None:
            raise UnsupportedInputError("Say what is to be changed: name, tag, profile.")
        actor = actor_of(doors, request.scope)
        changed = await doors.keys.update(str(key_id), name=name, tag=tag, profile=profile, actor=actor)
        await doors.reload_keys()
        return _view(changed)

    @post(f"{ONE}/revoke", status_code=200, opt=owner, tags=["keys"])
    async def revoke_key(request: HttpRequest, key_id: Id) -> KeyView:
        """Let an active key open nothing any more. It stays in the list."""
        revoked = await doors.keys.revoke(str(key_id), actor_of(doors, request.scope))
        await doors.reload_keys()
        return _view(revoked)

    return [list_keys, create_key, show_key, change_key, revoke_key]


def _view(key: ApiKey) -> KeyView:
    return KeyView(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        tag=key.tag,
        profile=key.profile,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
    )
