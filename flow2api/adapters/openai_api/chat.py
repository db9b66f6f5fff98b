"""``/chat/completions``: pictures and videos for everything that can chat."""

from dataclasses import dataclass, replace

from litestar import post
from litestar.handlers import HTTPRouteHandler

from flow2api.adapters.openai_api.answers import Answer, Json
from flow2api.adapters.openai_api.auth import caller_of
from flow2api.adapters.openai_api.body import Body, HttpRequest, read_body
from flow2api.adapters.openai_api.chat_answers import Chat
from flow2api.adapters.openai_api.chat_schemas import ChatIn
from flow2api.adapters.openai_api.conversation import Conversation, read_conversation
from flow2api.adapters.openai_api.doors import Doors
from flow2api.adapters.openai_api.envelope import stream_error
from flow2api.adapters.openai_api.idempotency import idempotency_of
from flow2api.adapters.openai_api.input_pictures import PictureSource, take_in, within
from flow2api.adapters.openai_api.models import known_name
from flow2api.adapters.openai_api.planning import Ask, check_model, plan
from flow2api.adapters.openai_api.runs import begin, collect
from flow2api.adapters.openai_api.shapes import field_names, typed
from flow2api.adapters.openai_api.sse import EventStream, data_frame, ending_with_error
from flow2api.domain.api_key import Caller
from flow2api.domain.data_url import is_data_url
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.generation import GenerationRequest
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.request import check_prompt
from flow2api.domain.usecases.recall_requests import Idempotency

_DOOR = "chat.completions"
_OWN_FIELDS = field_names(ChatIn) - {"n"} | {"modalities"}
_PICTURES_PARAM = "messages"


def chat_routes(doors: Doors) -> list[HTTPRouteHandler]:
    """The handler of ``/chat/completions``."""

    @post("/chat/completions", status_code=200)
    async def complete_chat(request: HttpRequest) -> Answer:
        return await _answer(doors, request)

    return [complete_chat]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request that was read.

    Attributes:
        model: The name as it was asked for.
    """

    model: str
    is_streamed: bool
    wants_usage: bool
    planned: GenerationRequest
    idempotency: Idempotency


async def _answer(doors: Doors, request: HttpRequest) -> Answer:
    asked = await _read(doors, request)
    run = await begin(doors, request, asked.planned, caller_of(request.scope), asked.idempotency)
    chat = Chat(doors, request, asked.model, asked.planned.prompt, with_usage=asked.wants_usage)
    if asked.is_streamed:
        frames = ending_with_error(chat.frames(run), lambda error: data_frame({"error": stream_error(error, request)}))
        return EventStream(frames, doors.limits, run.headers())
    outcome = await collect(run)
    return Json(chat.document(run, outcome), run.headers(outcome.warnings))


async def _read(doors: Doors, request: HttpRequest) -> _Asked:
    """What is asked for, without the conversation: with its pictures it must not stay in memory meanwhile."""
    async with doors.room.place() as place:
        body = await read_body(request, doors.limits, most_bytes=doors.limits.picture_body_bytes, place=place)
        wanted = typed(body, ChatIn)
        conversation = read_conversation(wanted.messages)
        check_prompt(conversation.prompt, conversation.prompt_param)
        model = known_name(doors.routes, wanted.model)
        caller = caller_of(request.scope)
        check_model(doors, model, None, caller)
        planned = await _plan(doors, body, conversation, model, caller)
    return _Asked(
        model=wanted.model,
        is_streamed=bool(wanted.stream),
        wants_usage=wanted.wants_usage,
        planned=planned,
        idempotency=idempotency_of(request, body, route=_DOOR),
    )


async def _plan(doors: Doors, body: Body, asked: Conversation, model: str, caller: Caller) -> GenerationRequest:
    pictures = await take_in(doors, within(list(asked.pictures), doors.limits.pictures), caller)
    ask = Ask(
        model=model,
        kind=None,
        prompt=asked.prompt,
        fields=body.fields,
        door=_DOOR,
        own_fields=_OWN_FIELDS,
        is_text=body.is_text,
        pictures=pictures,
        pictures_param=_PICTURES_PARAM,
        source=await _source_video(doors, asked, model, caller),
    )
    request = None
    if not pictures and ask.source is None:
        request = await _plan_with_earlier_picture(doors, ask, asked, caller)
    request = request or plan(doors, ask)
    return request.warned(*asked.warnings)


async def _plan_with_earlier_picture(
    doors: Doors, ask: Ask, asked: Conversation, caller: Caller
) -> GenerationRequest | None:
    """The plan with the last picture of the conversation; None when there is none or the model takes none."""
    if not asked.earlier and not asked.shows_foreign:
        return None
    earlier, is_newest = await _earlier(doors, asked, MediaKind.IMAGE, caller)
    unused = () if is_newest and not asked.shows_foreign else (_unused(doors, ask, earlier),)
    if earlier is None:
        return plan(doors, ask).warned(*filter(None, unused))
    try:
        return plan(doors, replace(ask, pictures=(earlier,))).warned(*filter(None, unused))
    except UnsupportedInputError as error:
        if error.param != _PICTURES_PARAM:
            raise
        return None


async def _source_video(doors: Doors, asked: Conversation, model: str, caller: Caller) -> Media | None:
    """The video to build on: the one that the message names, else the last one, for a model that does nothing else."""
    if asked.video is not None:
        source = await doors.ingest.own(asked.video, caller)
        if source is None or source.kind is not MediaKind.VIDEO:
            raise UnsupportedInputError(
                "Only a video that was made here can be built on; name it by its link.", param=asked.prompt_param
            )
        return source
    description = doors.routes.describe(model)
    if description is None or description.kind is not MediaKind.VIDEO:
        return None
    if not all(mode.needs_source for mode in description.modes):
        return None
    return (await _earlier(doors, asked, MediaKind.VIDEO, caller))[0]


def _unused(doors: Doors, ask: Ask, used: Media | None) -> str | None:
    """What to say of a newest picture that is not ours; nothing where the model would not have used it."""
    description = doors.routes.describe(ask.model)
    if description is None or not description.max_images:
        return None
    what = "the one before it is used" if used else "none is used"
    return (
        f"The last picture of the conversation is not kept here for this key, so {what}; send it along to build on it."
    )


async def _earlier(doors: Doors, asked: Conversation, kind: MediaKind, caller: Caller) -> tuple[Media | None, bool]:
    """The newest result of an earlier answer, and whether all that stands behind it was ours, too.

    Nothing is fetched for it: an address in an answer is only looked up.
    """
    is_newest = True
    for address in asked.earlier:
        if is_data_url(address):
            media = await _decoded(doors, address, caller) if kind is MediaKind.IMAGE else None
        else:
            media = await doors.ingest.own(address, caller)
        if media is not None and media.kind is kind:
            return media, is_newest
        is_newest = is_newest and media is not None
    return None, is_newest


async def _decoded(doors: Doors, address: str, caller: Caller) -> Media | None:
    """The picture that a front end has put into the conversation in place of our link; None when it is none."""
    try:
        return (await take_in(doors, [PictureSource(address, _PICTURES_PARAM)], caller))[0]
    except UnsupportedInputError:
        return None
