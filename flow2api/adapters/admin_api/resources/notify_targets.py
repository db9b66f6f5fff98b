"""``/api/admin/notify-targets``: where operators are written to when something needs care."""

import msgspec
from litestar import delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import LEAST_ROLE, actor_of
from flow2api.adapters.admin_api.resources.queries import PREFIX, HttpRequest
from flow2api.adapters.admin_api.schemas import Body, Id
from flow2api.documents.notify_targets import TargetView, target_view
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret

ONE = f"{PREFIX}/notify-targets/{{target_id:int}}"


class TargetViews(msgspec.Struct, frozen=True, kw_only=True):
    """Every notify target, oldest first."""

    items: tuple[TargetView, ...]
    next_cursor: str | None = None


class NewTargetBody(Body, frozen=True):
    """A notify target by its Apprise URL, such as ``tgram://BOT_TOKEN/CHAT_ID``."""

    name: str
    url: str


class TargetTest(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a message; ``error`` is null when it got there."""

    id: int
    name: str
    ok: bool
    error: str | None


class TargetTests(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the messages; ``ok`` when all got there."""

    ok: bool
    results: tuple[TargetTest, ...]


def notify_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers."""
    owner = {LEAST_ROLE: Role.OWNER}

    @get(f"{PREFIX}/notify-targets", tags=["notify targets"])
    async def list_targets() -> TargetViews:
        """The notify targets, without their addresses."""
        return TargetViews(items=tuple(target_view(one) for one in await doors.notify_targets.all()))

    @post(f"{PREFIX}/notify-targets", opt=owner, tags=["notify targets"])
    async def add_target(request: HttpRequest, data: JSONBody[NewTargetBody]) -> TargetView:
        """Write to this place from now on. Its address is kept sealed and never shown."""
        actor = actor_of(doors, request.scope)
        return target_view(await doors.notify_targets.add(data.name, Secret(data.url), actor))

    @get(ONE, tags=["notify targets"])
    async def show_target(target_id: Id) -> TargetView:
        """One notify target."""
        return target_view(await doors.notify_targets.named(str(target_id)))

    @delete(ONE, opt=owner, tags=["notify targets"])
    async def remove_target(request: HttpRequest, target_id: Id) -> None:
        """Write to a place no more."""
        await doors.notify_targets.remove(str(target_id), actor_of(doors, request.scope))

    @post(f"{ONE}/test", status_code=200, tags=["notify targets"])
    async def test_target(target_id: Id) -> TargetTests:
        """Write a message to a place now, and say what came of it."""
        return await _tested(doors, str(target_id))

    @post(f"{PREFIX}/notify-targets/test", status_code=200, tags=["notify targets"])
    async def test_targets() -> TargetTests:
        """The same with every place."""
        return await _tested(doors, None)

    return [list_targets, add_target, show_target, remove_target, test_target, test_targets]


async def _tested(doors: AdminDoors, which: str | None) -> TargetTests:
    tried = await doors.notify_targets.test(which)
    results = tuple(TargetTest(id=one.id, name=one.name, ok=error is None, error=error) for one, error in tried)
    return TargetTests(ok=all(one.ok for one in results), results=results)
