"""The requests that known clients send, field for field, for the models of this server."""

from collections.abc import Sequence
from dataclasses import dataclass

from flow2api.adapters.console.checks.expectations import (
    Expectation,
    has_chat_picture,
    has_link,
    has_picture,
    is_not_found,
    knows_model,
    lists_model,
    refuses_prompt,
    streams_chat_picture,
    tells_video,
)
from flow2api.adapters.console.checks.own_server import ClientRequest, form_request, json_request
from flow2api.adapters.console.checks.video_watch import VideoWatch

PROMPT = "A small grey circle on white: connection check"
VIDEO_MODEL = "sora-2"
"""What clients ask for when nobody has told them another name."""

COLUMNS = ("models", "picture", "edit", "chat", "video", "status", "making")
MAKES_PICTURE = frozenset({"picture", "edit", "chat"})
"""Columns whose requests make a picture."""

MAKES_VIDEO = frozenset({"making"})
"""Columns whose requests make a video, which costs credits."""


_USUAL_WAIT_S = 5.0
_N8N_WAITS_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCase:
    """One request of a client, and what it needs of the answer.

    Attributes:
        column: What it is about.
        opens_links: The client fetches what the links of the answer lead to.
        watch: How the client waits for the video that it has begun; None where it begins none.
    """

    client: str
    column: str
    request: ClientRequest
    expect: Expectation
    opens_links: bool = False
    watch: VideoWatch | None = None


@dataclass(frozen=True, slots=True)
class Setting:
    """What the requests are filled in with.

    Attributes:
        model: For pictures; empty where none is free.
        makes_videos: Whether videos are made, too.
        base_url: Scheme and host.
        picture: A PNG.
    """

    model: str
    base_url: str
    picture: bytes
    makes_videos: bool = False


def client_cases(at: Setting) -> Sequence[ClientCase]:
    """Every request of every client; without a free model those that make no picture, and unasked none that makes a video."""
    cases = [
        *_openai_python(at),
        *_openai_javascript(at),
        *_open_webui(at),
        *_cherry_studio(at),
        *_lobe_chat(at),
        *_n8n(at),
    ]
    wanted = [
        case
        for case in cases
        if (at.model or case.column not in MAKES_PICTURE) and (at.makes_videos or case.column not in MAKES_VIDEO)
    ]
    # Videos last: they take minutes, and only few requests are under way at once.
    return sorted(wanted, key=lambda case: case.watch is not None)


CLIENTS = {
    "openai-python": "OpenAI SDK, Python",
    "openai-javascript": "OpenAI SDK, JavaScript",
    "open-webui": "Open WebUI",
    "cherry-studio": "Cherry Studio",
    "lobe-chat": "LobeChat",
    "n8n": "n8n",
}
"""By the key that cases name; these are names, the same in every language."""


def used_columns(client: str) -> frozenset[str]:
    """What a client asks for at all."""
    at = Setting("any", "http://127.0.0.1", b"", makes_videos=True)
    return frozenset(case.column for case in client_cases(at) if case.client == client)


def _get(target: str, agent: str) -> ClientRequest:
    return ClientRequest(method="GET", target=target, agent=agent)


def _images(at: Setting, agent: str, **fields: object) -> ClientRequest:
    return json_request("/v1/images/generations", {"model": at.model, "prompt": PROMPT, **fields}, agent)


def _edits(at: Setting, agent: str, *names: str, **fields: str) -> ClientRequest:
    files = tuple((name, at.picture) for name in names)
    return form_request("/v1/images/edits", {"model": at.model, "prompt": PROMPT, **fields}, agent, files)


def _chat(at: Setting, agent: str, **fields: object) -> ClientRequest:
    messages = [{"role": "user", "content": PROMPT}]
    return json_request("/v1/chat/completions", {"model": at.model, "messages": messages, **fields}, agent)


def _openai_python(at: Setting) -> Sequence[ClientCase]:
    me, agent = "openai-python", "OpenAI/Python 3.54.0"
    video = {"prompt": "", "model": VIDEO_MODEL, "seconds": "8", "size": "720x1280"}
    asked: dict[str, object] = {"n": 1, "size": "auto", "quality": "auto", "background": "auto"}
    streamed = {"stream": True, "stream_options": {"include_usage": True}}
    return [
        _case(me, "models", _get("/v1/models", agent), lists_model(at.model) if at.model else knows_model),
        _case(me, "picture", _images(at, agent, **asked), has_picture),
        _case(me, "edit", _edits(at, agent, "image[]", "image[]", input_fidelity="high", n="1"), has_picture),
        _case(me, "chat", _chat(at, agent, **streamed), streams_chat_picture),
        _case(me, "video", form_request("/v1/videos", video, agent), refuses_prompt),
        _case(me, "status", _get("/v1/videos/video_none", agent), is_not_found),
        _making(me, form_request("/v1/videos", {**video, "prompt": PROMPT}, agent), VideoWatch(agent=agent)),
    ]


def _openai_javascript(at: Setting) -> Sequence[ClientCase]:
    me, agent = "openai-javascript", "OpenAI/JS 6.0.0"
    video = {"prompt": "", "model": VIDEO_MODEL, "seconds": "4", "size": "1280x720"}
    return [
        _case(me, "models", _get("/v1/models", agent), lists_model(at.model) if at.model else knows_model),
        _case(me, "picture", _images(at, agent), has_picture),
        _case(me, "edit", _edits(at, agent, "image"), has_picture),
        _case(me, "chat", _chat(at, agent), has_chat_picture),
        _case(me, "video", form_request("/v1/videos", video, agent), refuses_prompt),
        _case(me, "status", _get("/v1/videos/video_none/content?variant=video", agent), is_not_found),
        _making(me, form_request("/v1/videos", {**video, "prompt": PROMPT}, agent), VideoWatch(agent=agent)),
    ]


def _open_webui(at: Setting) -> Sequence[ClientCase]:
    me, agent = "open-webui", "Python/3.11 aiohttp/3.13"
    asked: dict[str, object] = {"n": 1, "size": "512x512", "response_format": "b64_json"}
    edited = {"n": "1", "size": "512x512", "response_format": "b64_json"}
    return [
        _case(me, "models", _get("/v1/models", agent), lists_model(at.model) if at.model else knows_model),
        _case(me, "picture", _images(at, agent, **asked), has_picture),
        _case(me, "edit", _edits(at, agent, "image", **edited), has_picture),
        _case(me, "chat", _chat(at, agent, stream=True), streams_chat_picture),
    ]


def _cherry_studio(at: Setting) -> Sequence[ClientCase]:
    me, agent = "cherry-studio", "CherryStudio/1.7"
    asked: dict[str, object] = {
        "n": 1,
        "size": "1024x1024",
        "quality": "auto",
        "background": "auto",
        "moderation": "auto",
        "response_format": "b64_json",
    }
    expect = lists_model(at.model, as_pictures=True) if at.model else knows_model
    return [
        _case(me, "models", _get("/v1/models", agent), expect),
        _case(me, "picture", _images(at, agent, **asked), has_picture),
        _case(me, "edit", _edits(at, agent, *["image[]"] * 3, n="1", response_format="b64_json"), has_picture),
        _case(me, "chat", _chat(at, agent, stream=True), streams_chat_picture),
    ]


def _lobe_chat(at: Setting) -> Sequence[ClientCase]:
    me, agent = "lobe-chat", "OpenAI/JS 4.104.0"
    video = {"model": VIDEO_MODEL, "prompt": "", "seconds": "8", "size": "1280x720"}
    return [
        _case(me, "models", _get("/v1/models", agent), lists_model(at.model) if at.model else knows_model),
        _case(me, "picture", _images(at, agent, n=1, aspectRatio="1:1", resolution="1K", seed=7), has_picture),
        _case(me, "edit", _edits(at, agent, "image[]", "image[]", input_fidelity="high", n="1"), has_picture),
        _case(me, "chat", _chat(at, agent, stream=False), has_chat_picture),
        _case(me, "video", json_request("/v1/videos", video, agent), refuses_prompt),
        _case(me, "status", _get("/v1/videos/video_none", agent), is_not_found),
        _making(
            me,
            json_request("/v1/videos", {**video, "prompt": PROMPT}, agent),
            VideoWatch(agent=agent, every_s=_USUAL_WAIT_S, takes_link=True),
        ),
    ]


def _n8n(at: Setting) -> Sequence[ClientCase]:
    me, agent = "n8n", "n8n"
    video = {"model": VIDEO_MODEL, "prompt": "", "seconds": "4", "size": "1280x720"}
    edit = _edits(at, agent, "image", n="1", response_format="url")
    return [
        _case(me, "models", _get(f"/v1/models/{VIDEO_MODEL}", agent), knows_model),
        _case(me, "picture", _images(at, agent, n=1, response_format="b64_json"), has_picture),
        ClientCase(client=me, column="edit", request=edit, expect=has_link(at.base_url), opens_links=True),
        _case(me, "video", form_request("/v1/videos", video, agent), refuses_prompt),
        _case(me, "status", _get("/v1/videos/video_none", agent), is_not_found),
        _making(
            me,
            form_request("/v1/videos", {**video, "prompt": PROMPT}, agent),
            VideoWatch(agent=agent, every_s=_N8N_WAITS_S),
        ),
    ]


def _making(client: str, request: ClientRequest, watch: VideoWatch) -> ClientCase:
    return ClientCase(client=client, column="making", request=request, expect=tells_video, watch=watch)


def _case(client: str, column: str, request: ClientRequest, expect: Expectation) -> ClientCase:
    return ClientCase(client=client, column=column, request=request, expect=expect)
