"""The list of models, which also proves a key at no cost."""

from typing import Any

from flow2api.simulator.answer import Response, json_response
from flow2api.simulator.call import Call
from flow2api.simulator.gemini.access import key_account
from flow2api.simulator.gemini.errors import GeminiError, no_such_model
from flow2api.simulator.gemini.models import MODELS
from flow2api.simulator.world import World


async def list_models(world: World, call: Call) -> Response:
    """A page of the models."""
    key_account(call)
    arguments = call.arguments()
    size, token = arguments.get("pageSize", "50"), arguments.get("pageToken", "0")
    if not size.isdigit() or not token.isdigit() or int(size) < 1:
        raise GeminiError(400, "Invalid page.")
    names = list(MODELS)
    start, end = int(token), int(token) + int(size)
    page: dict[str, Any] = {"models": [_described(name) for name in names[start:end]]}
    if end < len(names):
        page["nextPageToken"] = str(end)
    return json_response(page)


async def get_model(world: World, call: Call) -> Response:
    """One model."""
    key_account(call)
    if call.target not in MODELS:
        raise no_such_model(call.target, call.version, "getModel")
    return json_response(_described(call.target))


def _described(name: str) -> dict[str, Any]:
    method = MODELS[name].method
    # Omni is listed with a method that it then refuses.
    methods = ["generateContent"] if method == "interactions" else [method]
    return {"name": f"models/{name}", "version": "1", "displayName": name, "supportedGenerationMethods": methods}
