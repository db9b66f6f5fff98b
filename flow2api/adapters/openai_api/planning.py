"""From a door's fields to the canonical request, for all doors of this surface alike."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from flow2api.adapters.openai_api.doors import Doors
from flow2api.adapters.openai_api.input_pictures import PICTURE_FIELDS
from flow2api.adapters.openai_api.shapes import SILENT_FIELDS, ignored_fields
from flow2api.domain.api_key import Caller
from flow2api.domain.catalog import Masks, ModelDescription, ModelSpec, Wish
from flow2api.domain.errors import KeyScopeError, ModelNotAllowedError
from flow2api.domain.generation import GenerationRequest
from flow2api.domain.key_rules import KeyScope
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.request import plan_request, plan_route

SHAPE_FIELDS = frozenset(
    {
        "n", "size", "quality", "seed", "strict", "extra_body", "extraBody", "imageConfig", "image_config",
        "aspect_ratio", "aspectRatio", "aspect", "image_size", "imageSize", "resolution",
        "seconds", "duration", "durationSeconds", "duration_seconds", "generationConfig", "generation_config",
    }
)  # fmt: skip
"""Fields that say what the result is to be like; the domain reads them in all their spellings."""

_EXTRA_BODY = ("extra_body", "extraBody")
_READ_IN_EXTRA_BODY = SHAPE_FIELDS.difference(_EXTRA_BODY, ("n", "strict"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a door has made of a request before the model is looked up.

    Attributes:
        own_fields: The fields that the door itself reads.
        without_effect: Fields that the door knows and whose values change nothing this time.
        pictures_param: The field to name when there are too many or too few pictures.
        mask: Says where the first picture may be changed.
        source: The video to be extended.
        source_seconds: How long that is, where it is known.
    """

    model: str
    kind: MediaKind | None
    prompt: str
    fields: Mapping[str, object]
    door: str
    own_fields: frozenset[str]
    without_effect: Collection[str] = ()
    is_text: bool = False
    pictures: Sequence[Media] = field(default=())
    pictures_param: str = "image"
    mask: Media | None = None
    source: Media | None = None
    source_seconds: int | None = None
    parent_id: str | None = None


def check_model(doors: Doors, model: str, kind: MediaKind | None, caller: Caller) -> None:
    """Refuse a model that is unknown, of the other kind or not for this key before anything costly is done for the request.

    Raises:
        ModelNotAllowedError: The key may not use it.
        UnknownModelError: There is no such model.
        UnsupportedInputError: It makes the other kind.
        KeyScopeError: The key may not make what it makes.
    """
    models = caller.rules.models
    if models and not doors.routes.selects(models, model):
        raise ModelNotAllowedError(model)
    description: ModelDescription | ModelSpec | None = doors.routes.describe(model)
    if description is None or (kind is not None and description.kind is not kind):
        description = doors.catalog.resolve(doors.routes.targets(model)[0], Wish(), kind).spec
    scope = KeyScope.of(description.kind)
    if scope not in caller.rules.scopes:
        raise KeyScopeError(scope.value)


def check_plan(doors: Doors, request: GenerationRequest, caller: Caller) -> GenerationRequest:
    """The request as far as the key may have it made, whatever its parameters have made of the name that was asked for.

    Raises:
        ModelNotAllowedError: The key may use neither the model that would serve nor the one behind it.
    """
    models = caller.rules.models
    if not models:
        return request
    others = tuple(one for other in request.others if (one := _allowed_form(doors, other, models)) is not None)
    first = _allowed_form(doors, request, models)
    if first is None:
        raise ModelNotAllowedError(request.spec.name)
    return replace(first, others=others)


def _allowed_form(doors: Doors, request: GenerationRequest, models: tuple[str, ...]) -> GenerationRequest | None:
    def is_open(one: GenerationRequest) -> bool:
        return doors.routes.opens(models, one.model, one.spec.name)

    modest = request.modest
    if not is_open(request):
        return modest if modest is not None and is_open(modest) else None
    return request if modest is None or is_open(modest) else replace(request, modest=None)


def heeds_masks(doors: Doors, model: str) -> bool:
    """Whether a mask matters to any of the models that may serve this name; else it is a field without effect."""
    described = (doors.catalog.describe(target) for target in doors.routes.targets(model))
    return any(one is not None and one.masks is not Masks.IGNORED for one in described)


def plan(doors: Doors, ask: Ask) -> GenerationRequest:
    """The canonical request, with a warning for every field that has no effect.

    Raises:
        UnknownModelError: There is no such model.
        UnsupportedInputError: A field cannot be used, or ``"strict": true`` forbids to adapt it.
    """
    known = _known(ask.own_fields)
    ignored = ignored_fields(
        {**ask.fields, **_within_extra_body(ask.fields)},
        known.difference(ask.without_effect) if ask.without_effect else known,
    )
    fields = {
        name: value
        for name, value in ask.fields.items()
        if name not in ask.own_fields and name not in ask.without_effect
    }
    # What is extended stays with the account that made it, and so with its model.
    targets = doors.routes.targets(ask.model)[: None if ask.source is None else 1]
    request = plan_route(
        targets, lambda model: _plan_one(doors, ask, model, fields), name=ask.model, is_strict=_is_strict(ask.fields)
    )
    return request.warned(*ignored)


@cache
def _known(own_fields: frozenset[str]) -> frozenset[str]:
    """The fields that are read for a door, by whomever."""
    return own_fields | SHAPE_FIELDS | frozenset(PICTURE_FIELDS)


def _plan_one(doors: Doors, ask: Ask, model: str, fields: Mapping[str, object]) -> GenerationRequest:
    return plan_request(
        doors.catalog,
        model=model,
        kind=ask.kind,
        prompt=ask.prompt,
        fields=fields,
        pictures=ask.pictures,
        mask=ask.mask,
        source=ask.source,
        source_seconds=ask.source_seconds,
        text_values=ask.is_text,
        pictures_param=ask.pictures_param,
        parent_id=ask.parent_id,
        door=ask.door,
    )


def _is_strict(fields: Mapping[str, object]) -> bool:
    return fields.get("strict") in (True, "true", "True", "1")


def _within_extra_body(fields: Mapping[str, object]) -> dict[str, object]:
    """What stands in ``extra_body`` and is not looked for there, by its path."""
    return {
        f"{name}.{inner}": value
        for name in _EXTRA_BODY
        if name in fields and isinstance(extra := fields[name], Mapping)
        for inner, value in extra.items()
        if inner not in _READ_IN_EXTRA_BODY and (inner == "strict" or inner not in SILENT_FIELDS)
    }
