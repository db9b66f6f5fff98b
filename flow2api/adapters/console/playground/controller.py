"""The handlers of the page."""

from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from flow2api.adapters.console.code_samples import SampleRequest, samples
from flow2api.adapters.console.errors import sentence_of, status_of
from flow2api.adapters.console.forms import Form, read_button
from flow2api.adapters.console.language import gettext, ngettext
from flow2api.adapters.console.live import LiveView
from flow2api.adapters.console.playground.asks import MOST_UPLOAD_BYTES, Asked, ask_of, plan, read_ask, source_of
from flow2api.adapters.console.playground.follow_ups import PAGE
from flow2api.adapters.console.playground.models import choose_model, model_groups
from flow2api.adapters.console.playground.runs import preview_path, run_view, run_views
from flow2api.adapters.console.playground.sources import offered_pictures, offered_sources
from flow2api.adapters.console.playground.views import Playground, RunNews, Shown
from flow2api.adapters.console.policy import PAGE_HEADERS
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import Flow2ApiError, GenerationNotFoundError, MediaNotFoundError
from flow2api.domain.usecases.run_in_playground import OPERATORS, PlaygroundRun

_PARTS = {"run": "playground/_run.html"}
_LINK_S = 3600


class PlaygroundController(Controller):
    """Prompts that are tried by hand."""

    path = PAGE

    @get()
    async def show(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """The page: empty, with a run, or filled in from something that was made before."""
        run = await _run(visit)
        return await _page(visit, await _asked(visit, run), run)

    @post(status_code=303, request_max_body_size=MOST_UPLOAD_BYTES)
    async def run(self, visit: NamedDependency[Visit]) -> Response[Any]:
        """Begin what the form asks for, or show the form again for another model."""
        asked = await read_ask(visit.doors, visit.request)
        if asked.is_changing:
            return await _page(visit, asked, None, status=422 if asked.form.errors else 200)
        request = None if asked.form.errors else await plan(visit.doors, asked)
        if request is None or asked.form.errors:
            return await _page(visit, asked, None, status=422)
        try:
            run = await visit.doors.playground.start(request, visit.actor)
        except Flow2ApiError as error:
            asked.form.refuse("", sentence_of(error))
            return await _page(visit, asked, None, status=status_of(error))
        return visit.see(f"{PAGE}?run={run.id}")

    @post("/runs/{run_id:str}/cancel", status_code=303)
    async def cancel(self, visit: NamedDependency[Visit], run_id: FromPath[str]) -> Response[Any]:
        """Stop a run."""
        await read_button(visit.request)
        count = await visit.doors.playground.cancel(run_id, visit.actor)
        told = ngettext("%(num)s generation was stopped.", "%(num)s generations were stopped.", count) % {"num": count}
        return visit.see(f"{PAGE}?run={run_id}", told if count else gettext("There was nothing left to stop."))

    @get("/media/{media_id:str}")
    async def media(self, visit: NamedDependency[Visit], media_id: FromPath[str]) -> Response[Any]:
        """Lead to the bytes of something that operators have; the page's own address of them stays the same."""
        media = await visit.doors.ingest.own(media_id, OPERATORS)
        if media is None:
            raise MediaNotFoundError("The media is not kept any more.")
        headers = dict(PAGE_HEADERS) | {"cache-control": f"private, max-age={_LINK_S // 2}"}
        return Redirect(visit.doors.media.link(media.id, _LINK_S), status_code=307, headers=headers)


async def _run(visit: Visit) -> PlaygroundRun | None:
    run_id = visit.query("run")
    return await visit.doors.playground.get(run_id, visit.here.operator.id) if run_id else None


async def _asked(visit: Visit, run: PlaygroundRun | None) -> Asked:
    """The form as the address says it is filled in."""
    doors = visit.doors
    if run is not None and run.generations:
        return await ask_of(doors, run.generations[0], count=sum(one.count for one in run.generations))
    again = visit.query("again")
    if again:
        return await ask_of(doors, await doors.generations.get(again))
    form = Form({"model": visit.query("model"), "prompt": visit.query("prompt"), "source": visit.query("source")})
    picture = await doors.ingest.own(visit.query("picture"), OPERATORS) if visit.query("picture") else None
    return Asked(
        form=form,
        model=choose_model(doors, form.value("model")),
        pictures=() if picture is None else (picture,),
        source=await source_of(doors, form),
    )


async def _page(visit: Visit, asked: Asked, run: PlaygroundRun | None, *, status: int = 200) -> Response[Any]:
    doors, operator = visit.doors, visit.here.operator
    recent = await doors.playground.recent(operator.id, operator.name)
    shown = None if run is None else await run_view(doors, run)
    asked.form.values["model"] = asked.model.name
    view = Playground(
        groups=model_groups(doors, asked.model.name),
        model=asked.model,
        pictures=tuple(Shown(one.id, preview_path(one.id)) for one in asked.pictures),
        recent=await offered_pictures(doors, asked.pictures) if asked.model.most_pictures else (),
        sources=await offered_sources(doors, asked.model, asked.source),
        run=shown,
        earlier=await run_views(doors, [one for one in recent if run is None or one.id != run.id]),
        samples=samples(_sample_request(visit, asked)),
        most_bytes=doors.most_picture_bytes,
    )
    live = LIVE_RUN.name if shown is not None and not shown.is_over else ""
    return await visit.page(
        "playground/index.html",
        view,
        area="playground",
        live=live,
        parts=_PARTS,
        status=status,
        form=asked.form,
        has_accounts=(await doors.census()).total > 0,
    )


def _sample_request(visit: Visit, asked: Asked) -> SampleRequest:
    return SampleRequest(
        base_url=f"{visit.reached_url}/v1",
        kind=asked.model.kind,
        model=asked.model.name,
        prompt=asked.form.value("prompt").strip() or gettext("A lighthouse at dusk, long exposure"),
        shape={} if asked.form.errors else asked.shape,
        pictures=len(asked.used_pictures),
        builds=asked.model.builds if asked.model.needs_source else None,
    )


async def _news(visit: Visit) -> RunNews:
    try:
        run = await _run(visit)
    except GenerationNotFoundError:
        run = None
    return RunNews(None if run is None else await run_view(visit.doors, run))


LIVE_RUN = LiveView("playground", "playground", _PARTS, _news)
