"""The handlers of the page."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from flow2api.adapters.console.checks.check_keys import is_of_check
from flow2api.adapters.console.checks.client_requests import VIDEO_MODEL
from flow2api.adapters.console.code_samples import SampleRequest, samples
from flow2api.adapters.console.connect.clients import Access, client_cards
from flow2api.adapters.console.connect.outside import address_findings
from flow2api.adapters.console.connect.views import CheckNews, Connect, KeyChoice, Matrix, matrix_of
from flow2api.adapters.console.errors import sentence_of, status_of
from flow2api.adapters.console.forms import Form, read_button, read_form
from flow2api.adapters.console.guards import LEAST_ROLE
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.live import LiveView
from flow2api.adapters.console.playground.models import is_served, price
from flow2api.adapters.console.visit import Visit
from flow2api.domain.catalog import Mode
from flow2api.domain.errors import ConflictError, Flow2ApiError
from flow2api.domain.media import MediaKind
from flow2api.domain.operator import Role

PAGE = "/console/connect"
_PARTS = {"matrix": "connect/_matrix.html"}
_PLACEHOLDER = "YOUR_KEY"


class ConnectController(Controller):
    """Settings for clients, and whether they work."""

    path = PAGE

    @get()
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The page."""
        return await _page(visit, Form())

    @post("/keys", status_code=201, opt={LEAST_ROLE: Role.OWNER})
    async def make_key(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Make a key and show it, this once, with the settings that it is for."""
        form, doors = await read_form(visit.request, {"name"}), visit.doors
        name = form.text("name", is_needed=True, most=64)
        if form.errors:
            return await _page(visit, form, status=422)
        try:
            key, text = await doors.keys.create(name, actor=visit.actor)
        except Flow2ApiError as error:
            form.refuse("name", sentence_of(error))
            return await _page(visit, form, status=status_of(error))
        await doors.reload_keys()
        return await _page(visit, Form(), status=201, made=KeyChoice(key.id, key.name, key.prefix), text=text.reveal())

    @post("/checks", status_code=303)
    async def check(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Send the requests of clients to this server, with a key that is made for it."""
        form, doors = await read_form(visit.request, {"videos"}), visit.doors
        if form.errors:
            return await _page(visit, form, status=422)
        try:
            await doors.client_check.start(
                visit.request.app,
                base_url=visit.reached_url,
                model=free_model(visit),
                keys=doors.keys,
                reload_keys=doors.reload_keys,
                clock=doors.clock,
                actor=visit.actor,
                is_alone=doors.is_alone,
                makes_videos=form.text("videos") == "on" and bool(video_price(visit)),
            )
        except ConflictError as error:
            return visit.see(f"{PAGE}#matrix", sentence_of(error), kind="warn")
        return visit.see(f"{PAGE}#matrix")

    @post("/looks", status_code=303)
    async def look(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Look at the configured public address as a client elsewhere would."""
        await read_button(visit.request)
        doors = visit.doors
        if not doors.public_url:
            return visit.see(PAGE, gettext("There is no public address to look at: set public_url."), kind="warn")
        await doors.outside_check.look(doors.public_url, doors.look_outside, doors.clock)
        return visit.see(f"{PAGE}#address")


def free_model(visit: Visit) -> str:
    """The first model that makes pictures for nothing and that an account serves; empty when there is none."""
    doors = visit.doors
    for model in doors.catalog.listed():
        is_free = model.kind is MediaKind.IMAGE and not any(model.costs.values()) and bool(model.max_images)
        if is_free and Mode.TEXT in model.modes and is_served(doors, model.id):
            return model.id
    return ""


def video_price(visit: Visit) -> str:
    """What a video costs that clients ask for, in words; empty when no account serves it."""
    described = visit.doors.catalog.describe(VIDEO_MODEL)
    return price(described) if described is not None and is_served(visit.doors, VIDEO_MODEL) else ""


async def _page(
    visit: Visit, form: Form, *, status: int = 200, made: KeyChoice | None = None, text: str = ""
) -> Response[Any]:
    doors = visit.doors
    keys = tuple(
        KeyChoice(key.id, key.name, key.prefix)
        for key in await doors.keys.all()
        if key.is_active and not is_of_check(key)
    )
    wanted = visit.query("key")
    chosen = made or next((key for key in keys if str(key.id) == wanted), keys[0] if keys else None)
    root, matrix = visit.reached_url, _matrix(visit)
    image_model = matrix.model or _first(visit, MediaKind.IMAGE)
    access = Access(
        root=root,
        key=text or (f"{chosen.prefix}…" if chosen else _PLACEHOLDER),
        is_whole_key=bool(text),
        image_model=image_model,
        video_model=_first(visit, MediaKind.VIDEO),
    )
    prompt = gettext("A lighthouse at dusk, long exposure")
    view = Connect(
        root=root,
        base_url=access.base_url,
        keys=keys,
        chosen=chosen,
        new_key=text,
        findings=address_findings(visit),
        public_url=doors.public_url,
        look=doors.outside_check.last,
        cards=client_cards(access),
        samples=samples(
            SampleRequest(base_url=access.base_url, kind=MediaKind.IMAGE, model=image_model, prompt=prompt)
        ),
        matrix=matrix,
    )
    live = LIVE_CHECK.name if doors.client_check.is_running else ""
    return await visit.page(
        "connect/index.html", view, area="connect", status=status, live=live, parts=_PARTS, form=form
    )


def _first(visit: Visit, kind: MediaKind) -> str:
    listed = [model for model in visit.doors.catalog.listed() if model.kind is kind and Mode.TEXT in model.modes]
    served = (model.id for model in listed[:50] if is_served(visit.doors, model.id))
    return next(served, listed[0].id if listed else "")


def _matrix(visit: Visit) -> Matrix:
    check = visit.doors.client_check
    return matrix_of(check.state, is_running=check.is_running, model=free_model(visit), video_price=video_price(visit))


async def _news(visit: Visit) -> CheckNews:
    return CheckNews(_matrix(visit))


LIVE_CHECK = LiveView("connect", "connect", _PARTS, _news)
