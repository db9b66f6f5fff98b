"""What the played host offers."""

from dataclasses import dataclass
from typing import Any

from flow2api.simulator.answer import Response, json_response
from flow2api.simulator.call import Call
from flow2api.simulator.openai_host.access import key_account
from flow2api.simulator.openai_host.errors import HostError, no_such_model
from flow2api.simulator.world import World

CREATED = 1_780_000_000


@dataclass(frozen=True, slots=True)
class PlayedModel:
    """One model.

    Attributes:
        price: Of one picture, or of one second of video, in the credits of the simulator's accounts.
        seconds: Lengths of videos; empty for pictures.
        most_inputs: How many input pictures it takes.
        answers_links: It knows ``response_format``, and answers with links unless told otherwise.
        takes_seed: It knows ``seed``.
    """

    kind: str
    price: int
    seconds: tuple[int, ...] = ()
    most_inputs: int = 0
    answers_links: bool = False
    takes_seed: bool = False


MODELS = {
    "gpt-image-1.5": PlayedModel("image", 34, most_inputs=16),
    "gpt-image-2.6-sunburst": PlayedModel("image", 32, most_inputs=16),
    "pixel-1": PlayedModel("image", 10, most_inputs=4, answers_links=True, takes_seed=True),
    "film-1": PlayedModel("video", 5, seconds=(4, 8, 12), most_inputs=2),
}


async def list_models(world: World, call: Call) -> Response:
    """Every model."""
    key_account(call)
    return json_response({"object": "list", "data": [_shown(name) for name in MODELS]})


async def get_model(world: World, call: Call) -> Response:
    """One model."""
    key_account(call)
    if call.target not in MODELS:
        raise no_such_model(call.target)
    return json_response(_shown(call.target))


def played_model(name: str | None, kind: str, call: Call) -> PlayedModel:
    """What a model can be asked for.

    Raises:
        HostError: 404, there is none of this name for this account; 400, it makes the other kind.
    """
    model = MODELS.get(name or "")
    if model is None or (call.account and call.account.knobs.model_quota_per_day.get(name or "") == 0):
        raise no_such_model(name or "")
    if model.kind != kind:
        raise HostError(400, "invalid_value", f"The model '{name}' makes no {kind}.", param="model")
    return model


def _shown(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "simulator"}
