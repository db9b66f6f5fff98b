"""Interactions, by which Omni makes videos. Pure.

Words for where an interaction is: Gemini API, 2026-11. An unknown one counts as running, for the time limit holds anyway.
"""

import json
import re
from dataclasses import replace

import msgspec

from flow2api.adapters.gemini.errors import late_failure
from flow2api.adapters.gemini.files import product_of
from flow2api.adapters.gemini.reading import decoder, from_base64
from flow2api.domain.errors import UpstreamInvalidError
from flow2api.domain.generation import OperationStatus, Product

NAME = re.compile(r"[A-Za-z0-9._=-]+")
ENDED_BADLY = frozenset({"failed", "cancelled", "incomplete", "budget_exceeded", "requires_action"})


class _Block(msgspec.Struct):
    type: str = ""
    uri: str = ""
    data: str = ""
    text: str = ""


class _Step(msgspec.Struct):
    type: str = ""
    content: list[_Block] = []


class _Failure(msgspec.Struct):
    code: int | str = ""
    message: str = ""


class _Interaction(msgspec.Struct):
    id: str = ""
    status: str = ""
    steps: list[_Step] = []
    error: _Failure | None = None
    errors: list[_Failure] = []


_read = decoder(_Interaction)


def begun(body: bytes) -> str:
    """The id of an interaction that was begun.

    Raises:
        Flow2ApiError: It has failed already, or has no id by which it could be asked for.
    """
    interaction = _read(body)
    if interaction.status == "failed":
        raise _failure(interaction)
    if not NAME.fullmatch(interaction.id):
        raise UpstreamInvalidError("The service began a video and gave it no name that can be asked for.")
    return interaction.id


def standing(body: bytes) -> OperationStatus:
    """How an interaction stands."""
    interaction = _read(body)
    if interaction.status in ENDED_BADLY:
        return OperationStatus(error=_failure(interaction))
    if interaction.status != "completed":
        return OperationStatus()
    made = [block for step in interaction.steps if step.type == "model_output" for block in step.content]
    video = next((block for block in made if block.type == "video" and (block.uri or block.data)), None)
    if video is None:
        said = " ".join(block.text for block in made if block.text)
        return OperationStatus(error=late_failure("completed", said or "there is no video in the answer"))
    extra = json.dumps({"interaction": interaction.id})  # by it the service knows a video that is to be changed
    if video.data:
        return OperationStatus(product=Product(interaction.id, data=from_base64(video.data), extra=extra))
    return OperationStatus(product=replace(product_of(video.uri), extra=extra))


def _failure(interaction: _Interaction) -> Exception:
    told = interaction.error or next(iter(interaction.errors), _Failure())
    return late_failure(told.code or interaction.status, told.message)
