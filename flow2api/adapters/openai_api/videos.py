"""``/videos``: begun with one call, looked at with others."""

import re

from litestar import delete, get, post, route
from litestar.handlers import HTTPRouteHandler

from flow2api.adapters.openai_api.answers import Answer, Json
from flow2api.adapters.openai_api.auth import caller_of
from flow2api.adapters.openai_api.body import Body, HttpRequest, read_body
from flow2api.adapters.openai_api.body_room import Place
from flow2api.adapters.openai_api.doors import Doors
from flow2api.adapters.openai_api.idempotency import idempotency_of
from flow2api.adapters.openai_api.input_pictures import picture_sources, take_in
from flow2api.adapters.openai_api.links import base_url
from flow2api.adapters.openai_api.media_answers import MediaBytes
from flow2api.adapters.openai_api.planning import Ask, check_model, plan
from flow2api.adapters.openai_api.runs import begin
from flow2api.adapters.openai_api.shapes import field_names, typed
from flow2api.adapters.openai_api.video_follow_ups import EDITS, plan_extension, plan_remix
from flow2api.adapters.openai_api.video_schemas import FollowUpIn, VideoIn, VideoOut, poll_after_ms, video_out
from flow2api.domain.api_key import Caller
from flow2api.domain.errors import GenerationNotFoundError, UnsupportedInputError
from flow2api.domain.generation import Generation, GenerationRequest
from flow2api.domain.media import MediaKind
from flow2api.domain.request import check_prompt

_OWN_FIELDS = field_names(VideoIn)
_VARIANTS = ("video", "thumbnail", "spritesheet")
_USUAL_LIMIT = 20
_MOST_LIMIT = 100
_LIMIT = re.compile(r"\d{1,6}")


def video_routes(doors: Doors) -> list[HTTPRouteHandler]:
    """The handlers of ``/videos``."""

    @post("/videos", status_code=200)
    async def create_video(request: HttpRequest) -> Answer:
        async with doors.room.place() as place:
            body = await _read(doors, request, place)
            planned = await _plan_video(doors, body, caller_of(request.scope))
        return await _begin(doors, request, body, planned)

    @get("/videos")
    async def list_videos(request: HttpRequest) -> Answer:
        return await _list(doors, request)

    @route("/videos/{video_id:str}", http_method=["GET", "HEAD"], status_code=200)
    async def get_video(request: HttpRequest) -> Answer:
        return _shown(doors, request, await _video(doors, request, request.path_params["video_id"]))

    @delete("/videos/{video_id:str}", status_code=200)
    async def delete_video(request: HttpRequest) -> Answer:
        video_id: str = request.path_params["video_id"]
        await _video(doors, request, video_id)
        await doors.generations.delete(video_id, caller_of(request.scope))
        return Json({"id": video_id, "object": "video.deleted", "deleted": True})

    @route("/videos/{video_id:str}/content", http_method=["GET", "HEAD"], status_code=200)
    async def get_content(request: HttpRequest) -> Answer:
        return await _content(doors, request)

    @post("/videos/{video_id:str}/remix", status_code=200)
    async def remix_video(request: HttpRequest) -> Answer:
        body = await read_body(request, doors.limits, most_bytes=doors.limits.json_bytes)
        wanted = typed(body, FollowUpIn)
        parent = await _video(doors, request, request.path_params["video_id"])
        planned = await plan_remix(doors, body, wanted, parent, caller_of(request.scope), door="videos.remix")
        return await _begin(doors, request, body, planned)

    @post("/videos/edits", status_code=200)
    async def edit_video(request: HttpRequest) -> Answer:
        async with doors.room.place() as place:
            body, wanted, parent = await _read_follow_up(doors, request, place)
            planned = await plan_remix(doors, body, wanted, parent, caller_of(request.scope), door=EDITS)
        return await _begin(doors, request, body, planned)

    @post("/videos/extensions", status_code=200)
    async def extend_video(request: HttpRequest) -> Answer:
        async with doors.room.place() as place:
            body, wanted, parent = await _read_follow_up(doors, request, place)
            planned = await plan_extension(
                doors, body, wanted, parent, caller_of(request.scope), door="videos.extensions"
            )
        return await _begin(doors, request, body, planned)

    return [
        create_video, list_videos, get_video, delete_video, get_content, remix_video, edit_video, extend_video,
    ]  # fmt: skip


async def _plan_video(doors: Doors, body: Body, caller: Caller) -> GenerationRequest:
    wanted = typed(body, VideoIn)
    model = wanted.model or doors.video_model
    check_prompt(wanted.prompt)
    check_model(doors, model, MediaKind.VIDEO, caller)
    pictures = await take_in(doors, picture_sources(body.fields, doors.limits.pictures), caller)
    return plan(
        doors,
        Ask(
            model=model,
            kind=MediaKind.VIDEO,
            prompt=wanted.prompt,
            fields=body.fields,
            door="videos",
            own_fields=_OWN_FIELDS,
            # A video object stands for one video: more cannot be told to the client.
            without_effect=() if body.fields.get("n") in (None, 1, "1") else ("n",),
            is_text=body.is_text,
            pictures=pictures,
            pictures_param="input_reference",
        ),
    )


async def _read(doors: Doors, request: HttpRequest, place: Place) -> Body:
    return await read_body(request, doors.limits, most_bytes=doors.limits.picture_body_bytes, place=place)


async def _read_follow_up(doors: Doors, request: HttpRequest, place: Place) -> tuple[Body, FollowUpIn, Generation]:
    body = await _read(doors, request, place)
    if isinstance(body.fields.get("video"), bytes):
        raise UnsupportedInputError(
            'The upstream takes no uploaded videos; name one that was made here, with `video` as {"id": ...}.',
            param="video",
            code="unsupported_video",
        )
    wanted = typed(body, FollowUpIn)
    if wanted.video is None:
        raise UnsupportedInputError(
            "Missing required parameter: 'video'.", param="video", code="missing_required_parameter"
        )
    return body, wanted, await _video(doors, request, wanted.video.id)


async def _video(doors: Doors, request: HttpRequest, video_id: str) -> Generation:
    generation = await doors.generations.get(video_id, caller_of(request.scope))
    if generation.kind is not MediaKind.VIDEO:
        raise GenerationNotFoundError(video_id)
    return generation


async def _begin(doors: Doors, request: HttpRequest, body: Body, planned: GenerationRequest) -> Answer:
    """Answer as soon as the video is accepted; it goes on without us."""
    idempotency = idempotency_of(request, body, route=f"{planned.door} {planned.parent_id}")
    run = await begin(doors, request, planned, caller_of(request.scope), idempotency)
    await run.rest.aclose()
    generation = run.accepted.generation
    return Json(_object(doors, request, generation), run.headers())


def _object(doors: Doors, request: HttpRequest, generation: Generation) -> VideoOut:
    base, lifetime_s = base_url(doors, request.scope), doors.options().link_lifetime_s
    turn = doors.generations.turn(generation.id)
    return video_out(generation, doors.catalog, lambda media_id: base + doors.media.link(media_id, lifetime_s), turn)


def _shown(doors: Doors, request: HttpRequest, generation: Generation) -> Answer:
    headers = []
    if not generation.state.is_final:
        turn = doors.generations.turn(generation.id)
        wait_ms = poll_after_ms(generation, doors.options().poll_interval_s, turn)
        headers.append((b"openai-poll-after-ms", b"%d" % wait_ms))
    return Json(_object(doors, request, generation), headers)


async def _list(doors: Doors, request: HttpRequest) -> Answer:
    query = request.query_params
    limit_text, order = query.get("limit", str(_USUAL_LIMIT)), query.get("order", "desc")
    if not _LIMIT.fullmatch(limit_text) or int(limit_text) > _MOST_LIMIT:
        raise UnsupportedInputError(f"`limit` is a number from 0 to {_MOST_LIMIT}.", param="limit")
    if order not in ("asc", "desc"):
        raise UnsupportedInputError("`order` is `asc` or `desc`.", param="order")
    page = await doors.generations.page(
        caller_of(request.scope),
        kind=MediaKind.VIDEO,
        after=query.get("after") or None,
        limit=max(int(limit_text), 1),
        newest_first=order == "desc",
    )
    items = page.items[: int(limit_text)]
    data = [_object(doors, request, generation) for generation in items]
    return Json(
        {
            "object": "list",
            "data": data,
            "first_id": data[0].id if data else None,
            "last_id": data[-1].id if data else None,
            "has_more": page.has_more or len(items) < len(page.items),
        }
    )


async def _content(doors: Doors, request: HttpRequest) -> Answer:
    variant = request.query_params.get("variant", "video")
    if variant not in _VARIANTS:
        raise UnsupportedInputError(f"`variant` is one of {', '.join(_VARIANTS)}.", param="variant")
    video = await _video(doors, request, request.path_params["video_id"])
    opened = await doors.generations.content(video.id, caller_of(request.scope), variant)
    return MediaBytes(opened, doors.limits.stall_s)
