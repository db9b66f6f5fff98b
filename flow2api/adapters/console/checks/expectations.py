"""What clients read of an answer: each function says what is wrong with it for them, or nothing."""

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flow2api.adapters.console.checks.own_server import ServerAnswer
from flow2api.adapters.console.language import gettext
from flow2api.domain.media import SNIFFED_BYTES, sniff_content_type

_VIDEO_STATES = ("queued", "in_progress", "completed", "failed")
Expectation = Callable[[ServerAnswer], str]
"""Empty when the client has what it needs."""


def lists_model(model: str, *, as_pictures: bool = False) -> Expectation:
    """The list of models has this one.

    Args:
        as_pictures: The client looks for the kind of endpoint, too.
    """

    def expect(answer: ServerAnswer) -> str:
        if told := _refused(answer):
            return told
        entries = _entries(answer)
        found = next((one for one in entries if one.get("id") == model), None)
        if found is None:
            return gettext("The list of models lacks %(model)s.") % {"model": model}
        if as_pictures and "image-generation" not in found.get("supported_endpoint_types", []):
            return gettext("The list of models does not say that %(model)s makes pictures.") % {"model": model}
        return ""

    return expect


def knows_model(answer: ServerAnswer) -> str:
    """The model that was asked for by its id exists."""
    return _refused(answer)


def has_picture(answer: ServerAnswer) -> str:
    """Every result holds the picture itself."""
    if told := _refused(answer):
        return told
    entries = _entries(answer)
    if not entries:
        return gettext("The answer holds no result.")
    if not all(_is_picture(one.get("b64_json")) for one in entries):
        return gettext("A result lacks b64_json, or what it holds is no picture.")
    return ""


def has_link(base_url: str) -> Expectation:
    """Every result has a link to this server, absolute, as the client's own server will fetch it."""

    def expect(answer: ServerAnswer) -> str:
        if told := _refused(answer):
            return told
        links = [str(one.get("url", "")) for one in _entries(answer)]
        if not links or not all(links):
            return gettext("A result lacks its url.")
        for link in links:
            if urlsplit(link).netloc != urlsplit(base_url).netloc:
                return gettext("Links lead to %(host)s, where the client does not reach this server.") % {
                    "host": urlsplit(link).netloc or link[:60]
                }
        return ""

    return expect


def links_of(answer: ServerAnswer) -> list[str]:
    """Path and query of the links in an answer."""
    parts = [urlsplit(str(one.get("url", ""))) for one in _entries(answer)]
    return [f"{part.path}?{part.query}" for part in parts if part.path]


def is_image(answer: ServerAnswer) -> str:
    """What a link leads to is served as a picture."""
    if answer.status != 200:
        return gettext("The link to the picture answers %(status)s.") % {"status": answer.status}
    if not answer.headers.get("content-type", "").startswith("image/") or not sniff_content_type(
        answer.body[:SNIFFED_BYTES]
    ):
        return gettext("The link to the picture is not served as one.")
    return ""


def has_chat_picture(answer: ServerAnswer) -> str:
    """A chat answer has its picture in ``message.images``, and as Markdown for everybody else."""
    if told := _refused(answer):
        return told
    message = _message(answer.json, "message")
    if not _image_of(message):
        return gettext("The answer lacks message.images.")
    return "" if "![" in str(message.get("content")) else gettext("The answer lacks the picture as Markdown.")


def streams_chat_picture(answer: ServerAnswer) -> str:
    """The same in a stream: one piece has the picture, a later one ends, and the stream says that it is over."""
    if told := _refused(answer):
        return told
    lines = [
        line.removeprefix("data: ")
        for line in answer.body.decode("utf-8", "replace").splitlines()
        if line[:6] == "data: "
    ]
    if not lines or lines[-1].strip() != "[DONE]":
        return gettext("The stream does not end with [DONE].")
    pieces = [_decoded(line) for line in lines[:-1]]
    failed = next((one["error"] for one in pieces if isinstance(one.get("error"), dict)), None)
    if failed is not None:
        return str(failed.get("message", ""))[:300]
    if not any(_image_of(_message(one, "delta")) for one in pieces):
        return gettext("No piece of the stream has delta.images.")
    if not any(_reason(one) == "stop" for one in pieces):
        return gettext("The stream lacks a finish_reason.")
    return ""


def refuses_prompt(answer: ServerAnswer) -> str:
    """The request was read, and refused for the empty prompt alone."""
    error = _error(answer)
    if answer.status == 400 and error.get("param") == "prompt":
        return ""
    return _refused(answer) or gettext("A video without a prompt was not refused.")


def tells_video(answer: ServerAnswer) -> str:
    """A video in the words that clients know: an unknown status would end their waiting, and any error would be a failure."""
    if told := _refused(answer):
        return told
    video = answer.json if isinstance(answer.json, dict) else {}
    status, progress, error = video.get("status"), video.get("progress"), video.get("error")
    if not isinstance(video.get("id"), str) or status not in _VIDEO_STATES:
        return gettext("The video lacks its id, or a status that clients know.")
    if not isinstance(progress, int):
        return gettext("The progress of the video is no whole number.")
    if (status == "failed") != isinstance(error, dict):
        return gettext("A video has an error though it has not failed, or the other way round.")
    return ""


def is_video_file(answer: ServerAnswer) -> str:
    """What was fetched is a video, and is served as one."""
    if answer.status != 200:
        return gettext("The finished video answers %(status)s.") % {"status": answer.status}
    if answer.headers.get("content-type", "") != "video/mp4" or answer.body[4:8] != b"ftyp":
        return gettext("The finished video is not served as one.")
    return ""


def is_not_found(answer: ServerAnswer) -> str:
    """What there is not is told as clients understand it."""
    if answer.status == 404 and {"message", "type", "code"} <= set(_error(answer)):
        return ""
    return gettext("A video that there is not answers %(status)s without an error object.") % {"status": answer.status}


def _refused(answer: ServerAnswer) -> str:
    if answer.status == 200:
        return ""
    error = _error(answer)
    told = {"status": answer.status, "code": error.get("code") or "", "message": str(error.get("message", ""))[:300]}
    return gettext("%(status)s %(code)s: %(message)s") % told


def _error(answer: ServerAnswer) -> dict[str, Any]:
    body = answer.json
    found = body.get("error") if isinstance(body, dict) else None
    return found if isinstance(found, dict) else {}


def _entries(answer: ServerAnswer) -> list[dict[str, Any]]:
    body = answer.json
    found = body.get("data") if isinstance(body, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _is_picture(text: object) -> bool:
    if not isinstance(text, str):
        return False
    try:
        head = base64.b64decode(text[:64], validate=True)
    except (ValueError, binascii.Error):
        return False
    return (sniff_content_type(head) or "").startswith("image/")


def _message(body: Any, name: str) -> dict[str, Any]:
    choices = body.get("choices") if isinstance(body, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else {}
    found = first.get(name) if isinstance(first, dict) else None
    return found if isinstance(found, dict) else {}


def _reason(body: Any) -> object:
    choices = body.get("choices") if isinstance(body, dict) else None
    return choices[0].get("finish_reason") if isinstance(choices, list) and choices else None


def _image_of(message: dict[str, Any]) -> bool:
    images = message.get("images")
    return isinstance(images, list) and bool(images) and bool(images[0].get("image_url", {}).get("url"))


def _decoded(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
