"""``/models``: what can be asked for. The bytes of the list are made when it changes, with the operator's routes."""

from collections.abc import Mapping

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler

from flow2api.adapters.openai_api.answers import Answer, Json
from flow2api.adapters.openai_api.body import HttpRequest
from flow2api.adapters.openai_api.doors import Doors
from flow2api.domain.catalog import ModelDescription, ModelRoutes, Wish
from flow2api.domain.errors import UnknownModelError
from flow2api.domain.media import MediaKind

_ENDPOINT_TYPES = {
    MediaKind.IMAGE: ("openai", "image-generation"),
    MediaKind.VIDEO: ("openai", "openai-video"),
}
"""By these words Cherry Studio and new-api sort models."""

CHAT_SUFFIX = ":image"
"""LobeChat calls a model under ``NAME:image`` when it wants pictures through chat."""


class ModelOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """OpenAI's model object, and what else is known of the model.

    Attributes:
        qualities: Words that ``quality`` may take; not there where it is no more than a vague word for a resolution.
        costs: Price by plan of one generation when nothing special is asked for; not there when it costs nothing.
        cost_unit: What ``costs`` are counted in.
    """

    id: str
    created: int
    owned_by: str
    object: str
    kind: str
    mode: str
    modes: tuple[str, ...]
    aspect_ratios: tuple[str, ...]
    sizes: tuple[str, ...]
    resolutions: tuple[str, ...]
    min_images: int
    max_images: int
    tier: str
    seconds: tuple[int, ...]
    aliases: tuple[str, ...]
    supported_endpoint_types: tuple[str, ...]
    qualities: tuple[str, ...] = ()
    costs: Mapping[str, int] = {}
    cost_unit: str | None = None
    deprecated: bool = False
    warning: str | None = None


def model_out(description: ModelDescription, name: str | None = None) -> ModelOut:
    """The object for one model.

    Args:
        name: The name that was asked for; None for the description's own.
    """
    costs = {tier.name.lower(): price for tier, price in sorted(description.costs.items()) if price}
    return ModelOut(
        id=name or description.id,
        created=description.created,
        owned_by=description.upstream,
        object="model",
        kind=description.kind.value,
        mode=description.modes[0].value,
        modes=tuple(mode.value for mode in description.modes),
        aspect_ratios=tuple(str(ratio) for ratio in description.aspect_ratios),
        sizes=tuple(str(size) for size in description.sizes),
        resolutions=description.resolutions,
        min_images=description.min_images,
        max_images=description.max_images,
        tier=description.min_tier.name.lower(),
        supported_endpoint_types=_ENDPOINT_TYPES[description.kind],
        seconds=description.seconds,
        aliases=description.aliases,
        qualities=description.qualities,
        costs=costs,
        cost_unit=description.cost_unit.value if costs else None,
        deprecated=description.deprecated,
        warning=description.warning,
    )


def known_name(routes: ModelRoutes, name: str) -> str:
    """The name under which this model is known, LobeChat's suffix taken off."""
    bare = name.removesuffix(CHAT_SUFFIX)
    return bare if bare != name and routes.describe(name) is None else name


def model_routes(doors: Doors) -> list[HTTPRouteHandler]:
    """The handlers of ``/models``."""
    catalog, routes = doors.catalog, doors.routes
    made: tuple[tuple[ModelDescription, ...], Answer] | None = None

    @get("/models")
    async def list_models() -> Answer:
        nonlocal made
        listed = routes.listed()
        if made is None or made[0] is not listed:
            made = listed, Json({"object": "list", "data": [model_out(description) for description in listed]})
        return made[1]

    @get("/models/{model_id:str}")
    async def get_model(request: HttpRequest) -> Answer:
        name: str = request.path_params["model_id"]
        description = routes.describe(known_name(routes, name))
        if description is None:
            catalog.resolve(name, Wish())
            raise UnknownModelError(name)
        return Json(model_out(description, name))

    return [list_models, get_model]
