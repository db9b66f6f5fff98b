"""Videos that build on another one: remixes, edits and extensions."""

from flow2api.adapters.openai_api.body import Body
from flow2api.adapters.openai_api.doors import Doors
from flow2api.adapters.openai_api.input_pictures import picture_sources, take_in
from flow2api.adapters.openai_api.planning import Ask, check_model, check_prompt, plan
from flow2api.adapters.openai_api.shapes import field_names
from flow2api.adapters.openai_api.video_schemas import FollowUpIn
from flow2api.domain.api_key import Caller
from flow2api.domain.catalog import Mode, ModelCatalog
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.generation import Generation, GenerationRequest, InputRole, State
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.parameters import read_wish
from flow2api.domain.usecases.read_generations import why_unfinished

_OWN_FIELDS = field_names(FollowUpIn) | {"n"}


async def plan_remix(
    doors: Doors, body: Body, wanted: FollowUpIn, parent: Generation, caller: Caller, *, door: str
) -> GenerationRequest:
    """The parent made anew with another prompt: same model, shape and input pictures unless the request says else.

    Raises:
        UnsupportedInputError: The parent is not complete, or a field cannot be used.
    """
    _check_complete(parent)
    check_prompt(wanted.prompt)
    model = wanted.model or parent.model
    check_model(doors.catalog, model, MediaKind.VIDEO)
    sources = picture_sources(body.fields, doors.limits.pictures)
    pictures = await take_in(doors, sources, caller) if sources else await _inputs_of(doors, parent, caller)
    return plan(
        doors,
        Ask(
            model=model,
            kind=MediaKind.VIDEO,
            prompt=wanted.prompt,
            fields={**_shape_of(doors.catalog, parent, body), **body.fields},
            door=door,
            own_fields=_OWN_FIELDS,
            is_text=body.is_text,
            pictures=pictures,
            pictures_param="input_reference",
            parent_id=parent.id,
        ),
    )


async def plan_extension(
    doors: Doors, body: Body, wanted: FollowUpIn, parent: Generation, caller: Caller, *, door: str
) -> GenerationRequest:
    """What comes after the end of the parent.

    Raises:
        UnsupportedInputError: The parent is not complete, or nothing that is offered can extend it.
    """
    _check_complete(parent)
    check_prompt(wanted.prompt)
    model = wanted.model or _extending_model(doors.catalog, parent)
    check_model(doors.catalog, model, MediaKind.VIDEO)
    source = await doors.ingest.own(parent.results[0], caller) if parent.results else None
    if source is None:
        raise UnsupportedInputError("The video to extend is not kept any more.", param="video.id")
    return plan(
        doors,
        Ask(
            model=model,
            kind=MediaKind.VIDEO,
            prompt=wanted.prompt,
            fields={**_shape_of(doors.catalog, parent, body, with_seconds=False), **body.fields},
            door=door,
            own_fields=_OWN_FIELDS,
            is_text=body.is_text,
            source=source,
            parent_id=parent.id,
        ),
    )


def _check_complete(parent: Generation) -> None:
    if parent.state is not State.COMPLETED:
        raise UnsupportedInputError(why_unfinished(parent), param="video.id")


def _shape_of(catalog: ModelCatalog, parent: Generation, body: Body, *, with_seconds: bool = True) -> dict[str, object]:
    """Size and length of the parent, each unless the request says it itself in any of its spellings."""
    asked = read_wish(
        {name: value for name, value in body.fields.items() if name not in _OWN_FIELDS}, text_values=body.is_text
    ).wish
    spec = catalog.spec(parent.spec_name)
    shape: dict[str, object] = {}
    if asked.ratio is None and asked.resolution is not None and spec is not None:
        # The parent's pixels would contradict the resolution; its shape does not.
        shape["aspect_ratio"] = str(spec.aspect_ratio)
    elif asked.ratio is None and parent.size:
        shape["size"] = parent.size
    if with_seconds and asked.seconds is None and parent.seconds:
        shape["seconds"] = str(parent.seconds)
    return shape


async def _inputs_of(doors: Doors, parent: Generation, caller: Caller) -> list[Media]:
    ids = [given.media_id for given in parent.inputs if given.role is not InputRole.SOURCE]
    found = [await doors.ingest.own(media_id, caller) for media_id in ids]
    return [media for media in found if media is not None]


def _extending_model(catalog: ModelCatalog, parent: Generation) -> str:
    """The parent's own name if it can extend, else the first that can, best one of the parent's ratio."""
    own = catalog.describe(parent.model)
    if own is not None and Mode.EXTEND in own.modes:
        return parent.model
    extending = [entry for entry in catalog.listed() if entry.modes == (Mode.EXTEND,)]
    if not extending:
        raise UnsupportedInputError("No model that is offered here extends videos.", param="video.id")
    spec = catalog.spec(parent.spec_name)
    ratio = spec.aspect_ratio if spec else None
    fitting = [entry for entry in extending if ratio in entry.aspect_ratios]
    return (fitting or extending)[0].id
