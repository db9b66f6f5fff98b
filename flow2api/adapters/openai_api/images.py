"""``/images``: pictures from text, and from text with pictures."""

from dataclasses import dataclass

from litestar import post
from litestar.handlers import HTTPRouteHandler

from flow2api.adapters.openai_api.answers import Answer
from flow2api.adapters.openai_api.auth import caller_of
from flow2api.adapters.openai_api.body import Body, HttpRequest, read_body
from flow2api.adapters.openai_api.doors import Doors
from flow2api.adapters.openai_api.envelope import stream_error
from flow2api.adapters.openai_api.idempotency import idempotency_of
from flow2api.adapters.openai_api.image_answers import ImagesJson, Presentation
from flow2api.adapters.openai_api.image_schemas import ImagesIn
from flow2api.adapters.openai_api.input_pictures import PictureSource, picture_sources, sources_in, take_in, within
from flow2api.adapters.openai_api.pictures_out import Format
from flow2api.adapters.openai_api.planning import Ask, check_model, heeds_masks, plan
from flow2api.adapters.openai_api.runs import begin, collect
from flow2api.adapters.openai_api.shapes import field_names, typed
from flow2api.adapters.openai_api.sse import EventStream, data_frame, ending_with_error
from flow2api.domain.api_key import Caller
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.generation import GenerationRequest
from flow2api.domain.media import MediaKind
from flow2api.domain.request import check_prompt, enlarges
from flow2api.domain.usecases.recall_requests import Idempotency

_OWN_FIELDS = field_names(ImagesIn)
_OWN_FIELDS_AND_MASK = _OWN_FIELDS | {"mask"}


@dataclass(frozen=True, slots=True)
class _Route:
    """What tells the two routes apart."""

    door: str
    event: str
    needs_picture: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request that was read.

    Attributes:
        quality: The word for it, as it was asked for.
    """

    wanted: ImagesIn
    planned: GenerationRequest
    caller: Caller
    idempotency: Idempotency
    quality: object


_GENERATIONS = _Route("images.generations", "image_generation", needs_picture=False)
_EDITS = _Route("images.edits", "image_edit", needs_picture=True)


def image_routes(doors: Doors) -> list[HTTPRouteHandler]:
    """The handlers of ``/images``."""

    @post("/images/generations", status_code=200)
    async def generate_images(request: HttpRequest) -> Answer:
        return await _answer(doors, request, _GENERATIONS)

    @post("/images/edits", status_code=200)
    async def edit_images(request: HttpRequest) -> Answer:
        return await _answer(doors, request, _EDITS)

    return [generate_images, edit_images]


async def _answer(doors: Doors, request: HttpRequest, route: _Route) -> Answer:
    asked = await _read(doors, request, route)
    wanted, planned = asked.wanted, asked.planned
    run = await begin(doors, request, planned, asked.caller, asked.idempotency)
    shown = Presentation(
        doors=doors,
        request=request,
        caller=asked.caller,
        prompt=planned.prompt,
        quality=asked.quality,
        wanted=Format.asked(wanted.output_format, wanted.output_compression),
        as_links=wanted.wants_links,
        event=route.event,
    )
    if wanted.stream:
        frames = ending_with_error(
            shown.frames(run),
            lambda error: data_frame({"type": "error", "error": stream_error(error, request)}, "error"),
        )
        return EventStream(frames, doors.limits, run.headers())
    pieces, warnings = await shown.document(await collect(run))
    return ImagesJson(pieces, run.headers(warnings), doors.limits.stall_s)


async def _read(doors: Doors, request: HttpRequest, route: _Route) -> _Asked:
    """What is asked for, without the body: with its pictures it must not stay in memory while others are made."""
    caller = caller_of(request.scope)
    async with doors.room.place() as place:
        body = await read_body(request, doors.limits, most_bytes=doors.limits.picture_body_bytes, place=place)
        wanted = typed(body, ImagesIn)
        planned = await _plan(doors, body, wanted, caller, route)
    return _Asked(
        wanted=wanted,
        planned=planned,
        caller=caller,
        idempotency=idempotency_of(request, body, route=route.door),
        quality=body.fields.get("quality"),
    )


async def _plan(doors: Doors, body: Body, wanted: ImagesIn, caller: Caller, route: _Route) -> GenerationRequest:
    model = wanted.model or doors.image_model
    if wanted.prompt or not enlarges(doors.routes.describe(model)):
        check_prompt(wanted.prompt)
    check_model(doors, model, MediaKind.IMAGE, caller)
    sources = picture_sources(body.fields, doors.limits.pictures)
    if route.needs_picture and not sources:
        raise UnsupportedInputError(
            "Missing required parameter: 'image'.", param="image", code="missing_required_parameter"
        )
    masks = _masks(doors, body, model, route)
    pictures = await take_in(doors, [*sources, *masks], caller)
    return plan(
        doors,
        Ask(
            model=model,
            kind=MediaKind.IMAGE,
            prompt=wanted.prompt,
            fields=body.fields,
            door=route.door,
            own_fields=_OWN_FIELDS_AND_MASK if masks else _OWN_FIELDS,
            without_effect=wanted.fields_without_effect,
            is_text=body.is_text,
            pictures=pictures[: len(sources)],
            mask=pictures[-1] if masks else None,
        ),
    )


def _masks(doors: Doors, body: Body, model: str, route: _Route) -> list[PictureSource]:
    """The mask of an edit, where it matters; several are one too many."""
    value = body.fields.get("mask")
    if value is None or not route.needs_picture or not heeds_masks(doors, model):
        return []
    return within(list(sources_in(value, "mask")), 1)
