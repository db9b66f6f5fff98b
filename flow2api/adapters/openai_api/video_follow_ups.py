"""Videos that build on another one: remixes, edits, extensions and enlargements."""

from dataclasses import replace

from flow2api.adapters.openai_api.body import Body
from flow2api.adapters.openai_api.doors import Doors
from flow2api.adapters.openai_api.input_pictures import picture_sources, take_in
from flow2api.adapters.openai_api.planning import Ask, check_model, plan
from flow2api.adapters.openai_api.shapes import field_names
from flow2api.adapters.openai_api.video_schemas import FollowUpIn
from flow2api.domain.api_key import Caller
from flow2api.domain.catalog import Mode, ModelCatalog, ModelDescription, ModelSpec, Wish
from flow2api.domain.errors import GenerationNotFoundError, UnsupportedInputError
from flow2api.domain.generation import Generation, GenerationRequest, InputRole, State
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.parameters import read_wish
from flow2api.domain.request import check_prompt, enlarges
from flow2api.domain.usecases.read_generations import why_unfinished

EDITS = "videos.edits"
"""The door at which a video may be changed itself, where its model can."""

_OWN_FIELDS = field_names(FollowUpIn) | {"n"}


async def plan_remix(
    doors: Doors, body: Body, wanted: FollowUpIn, parent: Generation, caller: Caller, *, door: str
) -> GenerationRequest:
    """The parent made anew with another prompt: same model, shape and input pictures unless the request says else.

    It is changed itself where its model can, at the door for edits, or where its upstream makes remixes so. A model that
    enlarges gets the parent as it is.

    Raises:
        UnsupportedInputError: The parent is not complete, or a field cannot be used.
    """
    named = None if wanted.model is None else doors.routes.describe(wanted.model)
    if wanted.model is not None and enlarges(named):
        return await _plan_with_it(doors, body, wanted, parent, caller, wanted.model, door)
    asked_id, parent = parent.id, await _origin_of(doors, parent, caller)
    editing = _editing_model(doors.catalog, parent, door) if wanted.model is None else None
    if door == EDITS and named is not None and named.modes == (Mode.EDIT,):
        editing = wanted.model
    if editing is not None:
        fields = {**_shape_of(doors.catalog, parent, body, is_extended=False), **body.fields}
        planned = await _plan_with_it(doors, replace(body, fields=fields), wanted, parent, caller, editing, door)
        return replace(planned, parent_id=asked_id)
    ask = _ask(doors, body, wanted, parent, caller, model=wanted.model or parent.model, door=door)
    sources = picture_sources(body.fields, doors.limits.pictures)
    pictures = await take_in(doors, sources, caller) if sources else await _inputs_of(doors, parent, caller)
    source = await _source_of(doors, parent, ask.model, caller)
    made_by = doors.catalog.spec(parent.spec_name)
    is_extended = source is not None and (made_by is None or made_by.mode is not Mode.EDIT)
    return plan(
        doors,
        replace(
            ask,
            fields={**_shape_of(doors.catalog, parent, body, is_extended=is_extended), **body.fields},
            pictures=pictures,
            pictures_param="input_reference",
            parent_id=asked_id,
            source=source,
            source_seconds=_seconds_before(doors.catalog, parent),
        ),
    )


async def _plan_with_it(
    doors: Doors, body: Body, wanted: FollowUpIn, parent: Generation, caller: Caller, model: str, door: str
) -> GenerationRequest:
    """The video itself, changed as the prompt says or enlarged; its shape and its length stay."""
    ask = _ask(doors, body, wanted, parent, caller, model=model, door=door)
    source = await doors.ingest.own(parent.results[0], caller) if parent.results else None
    if source is None:
        raise UnsupportedInputError("The video to build on is not kept any more.", param="video.id")
    return plan(doors, replace(ask, source=source, source_seconds=parent.seconds))


async def _origin_of(doors: Doors, parent: Generation, caller: Caller) -> Generation:
    """What was made in the first place, where the parent is only an enlargement of it."""
    while parent.parent_id is not None and (spec := doors.catalog.spec(parent.spec_name)) is not None and spec.enlarges:
        try:
            parent = await doors.generations.get(parent.parent_id, caller)
        except GenerationNotFoundError as error:
            raise UnsupportedInputError(
                "The video that this one was enlarged from is not kept any more, so it cannot be made anew.",
                param="video.id",
            ) from error
    return parent


async def plan_extension(
    doors: Doors, body: Body, wanted: FollowUpIn, parent: Generation, caller: Caller, *, door: str
) -> GenerationRequest:
    """What comes after the end of the parent.

    Raises:
        UnsupportedInputError: The parent is not complete, or nothing that is offered can extend it.
    """
    model = wanted.model or _extending_model(doors.catalog, parent)
    ask = _ask(doors, body, wanted, parent, caller, model=model, door=door)
    made_by, description = doors.catalog.spec(parent.spec_name), doors.routes.describe(ask.model)
    if made_by is not None and description is not None and description.upstream != made_by.upstream:
        raise UnsupportedInputError(
            f"{ask.model} extends what was made at its own upstream, and the video comes from {made_by.upstream}.",
            param="model",
        )
    source = await doors.ingest.own(parent.results[0], caller) if parent.results else None
    if source is None:
        raise UnsupportedInputError("The video to extend is not kept any more.", param="video.id")
    fields = {**_shape_of(doors.catalog, parent, body, is_extended=True), **body.fields}
    return plan(doors, replace(ask, fields=fields, source=source, source_seconds=parent.seconds))


def _ask(
    doors: Doors, body: Body, wanted: FollowUpIn, parent: Generation, caller: Caller, *, model: str, door: str
) -> Ask:
    """What all that follows a video asks for alike; what cannot be is refused before anything costly is done for it."""
    if parent.state is not State.COMPLETED:
        raise UnsupportedInputError(why_unfinished(parent), param="video.id")
    if wanted.prompt or not enlarges(doors.routes.describe(model)):
        check_prompt(wanted.prompt)
    check_model(doors, model, MediaKind.VIDEO, caller)
    return Ask(
        model=model,
        kind=MediaKind.VIDEO,
        prompt=wanted.prompt,
        fields=body.fields,
        door=door,
        own_fields=_OWN_FIELDS,
        is_text=body.is_text,
        parent_id=parent.id,
    )


def _shape_of(catalog: ModelCatalog, parent: Generation, body: Body, *, is_extended: bool) -> dict[str, object]:
    """Size and length of the parent, each unless the request says it itself in any of its spellings.

    An extension is as long as its model makes it, and an extended parent is longer than any model makes videos.
    """
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
    if not is_extended and not _is_extension(spec) and asked.seconds is None and parent.seconds:
        shape["seconds"] = str(parent.seconds)
    return shape


async def _inputs_of(doors: Doors, parent: Generation, caller: Caller) -> list[Media]:
    ids = [given.media_id for given in parent.inputs if given.role is not InputRole.SOURCE]
    found = [await doors.ingest.own(media_id, caller) for media_id in ids]
    return [media for media in found if media is not None]


async def _source_of(doors: Doors, parent: Generation, model: str, caller: Caller) -> Media | None:
    """The video that the parent extends or changes, if the model does so, too."""
    description = doors.routes.describe(model)
    ids = [given.media_id for given in parent.inputs if given.role is InputRole.SOURCE]
    if not ids or description is None or not any(mode.needs_source for mode in description.modes):
        return None
    return await doors.ingest.own(ids[0], caller)


def _seconds_before(catalog: ModelCatalog, parent: Generation) -> int | None:
    """How long the video is that the parent extends; None when it extends none."""
    spec = catalog.spec(parent.spec_name)
    if spec is None or spec.seconds is None or parent.seconds is None or not _is_extension(spec):
        return None
    return max(parent.seconds - spec.seconds + spec.repeats_s, 0) or None


def _is_extension(spec: ModelSpec | None) -> bool:
    return spec is not None and spec.mode is Mode.EXTEND


def _editing_model(catalog: ModelCatalog, parent: Generation, door: str) -> str | None:
    """What changes videos of the parent's model, as the upstream counts it; None when nothing does at this door."""
    spec = catalog.spec(parent.spec_name)
    if spec is None:
        return None
    return next(
        (
            entry.id
            for entry in catalog.listed()
            if entry.modes == (Mode.EDIT,)
            and entry.upstream == spec.upstream
            and (editing := catalog.builder(entry.id, Wish(has_source=True))) is not None
            and editing.rests_as == spec.rests_as
            and (door == EDITS or editing.remixes)
        ),
        None,
    )


def _extending_model(catalog: ModelCatalog, parent: Generation) -> str:
    """The parent's own name if it can extend, else one of the same upstream that can.

    Best is the parent's own model as the upstream counts it, then one of its ratio.
    """
    own, spec = catalog.describe(parent.model), catalog.spec(parent.spec_name)
    if own is not None and Mode.EXTEND in own.modes and (spec is None or spec.upstream == own.upstream):
        return parent.model
    extending = [
        (entry, candidate)
        for entry in catalog.listed()
        if entry.modes == (Mode.EXTEND,)
        and (spec is None or spec.upstream == entry.upstream)
        and (candidate := catalog.builder(entry.id, Wish(has_source=True))) is not None
    ]
    if not extending:
        raise UnsupportedInputError("No model that is offered here extends such videos.", param="video.id")
    if spec is None:
        return extending[0][0].id
    made_by = spec

    def distance(one: tuple[ModelDescription, ModelSpec]) -> tuple[bool, bool]:
        entry, candidate = one
        return candidate.rests_as != made_by.rests_as, made_by.aspect_ratio not in entry.aspect_ratios

    return min(extending, key=distance)[0].id
