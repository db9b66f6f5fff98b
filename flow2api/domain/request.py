"""From what a door was given to one canonical request."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from flow2api.domain.building_on import Obstacle, obstacle
from flow2api.domain.catalog import (
    Masks,
    Mode,
    ModelCatalog,
    ModelDescription,
    ModelSpec,
    Resolution,
    ratio_distance,
)
from flow2api.domain.errors import RequestError, UnsupportedInputError
from flow2api.domain.generation import GenerationRequest, Input, InputRole
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.parameters import SAME_RATIO, ParsedParameters, read_wish

MAX_PROMPT_CHARACTERS = 32_000


def check_prompt(prompt: str, param: str = "prompt") -> None:
    """Refuse a prompt that is empty or too long. Every door does so first, before anything costly is done for the request.

    Raises:
        UnsupportedInputError: With ``param`` as the field to blame.
    """
    if not prompt.strip():
        raise UnsupportedInputError("The prompt is empty; say what to make.", param=param, code="invalid_prompt")
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise UnsupportedInputError(
            f"The prompt has {len(prompt):,} characters; at most {MAX_PROMPT_CHARACTERS:,} are taken.",
            param=param,
            code="invalid_prompt",
        )


def plan_request(
    catalog: ModelCatalog,
    *,
    model: str,
    kind: MediaKind | None,
    prompt: str,
    fields: Mapping[str, object],
    pictures: Sequence[Media] = (),
    mask: Media | None = None,
    source: Media | None = None,
    source_seconds: int | None = None,
    text_values: bool = False,
    pictures_param: str = "image",
    parent_id: str | None = None,
    door: str = "",
) -> GenerationRequest:
    """The canonical request for what came through a door.

    Args:
        kind: What the door makes; None when it makes either.
        prompt: As `check_prompt` has let it pass.
        fields: Every further field of the request, in whatever spelling clients use.
        pictures: The input pictures, already kept, in the order in which they came. Where the model enlarges what was made
            before, the one that comes is the source.
        mask: Says where the first of them may be changed, already kept.
        source: What was made before and is to be extended, edited or enlarged.
        source_seconds: How long that is, where it is a video and this is known.
        text_values: All values are text (multipart), so numbers and booleans may come as strings.
        pictures_param: The field to name when there are too many or too few pictures.

    Raises:
        UnknownModelError: There is no such model.
        UnsupportedInputError: A field cannot be used; or, with ``"strict": true``, would have been adapted.
    """
    ratio = _ratio_of_first(pictures)
    if source is None and pictures and enlarges(catalog.describe(model)):
        source, pictures = _only_picture(model, pictures, pictures_param), ()
    parsed = read_wish(
        fields, pictures=len(pictures), picture_ratio=ratio, has_source=source is not None, text_values=text_values
    )
    if source is not None:
        parsed = _in_shape_of(source, parsed, catalog)
    resolution = catalog.resolve(model, parsed.wish, kind, pictures_param=pictures_param)
    if source is not None:
        check_source(catalog, resolution.spec, source, resolution.asked, pictures_param)
        if resolution.spec.enlarges:
            parsed, prompt, parent_id = _of_one(parsed), source.prompt, parent_id or source.generation_id
    request = GenerationRequest(
        model=model,
        spec=resolution.spec,
        prompt=prompt,
        inputs=(*_inputs(resolution.spec, pictures, source), *_mask(resolution, mask)),
        count=parsed.count,
        seed=parsed.seed,
        size=str(parsed.wish.size or resolution.spec.size),
        seconds=_seconds(resolution.spec, source_seconds if source else None),
        warnings=(*parsed.warnings, *resolution.warnings, *_mask_warnings(resolution.spec, mask)),
        parent_id=parent_id,
        door=door,
    )
    return _strict(request) if parsed.strict else _with_modest(request, resolution.fallback, parsed.warnings)


def enlarges(description: ModelDescription | None) -> bool:
    """Whether a name stands for nothing but enlarging what was made before; such a request needs no prompt."""
    return description is not None and description.modes == (Mode.ENLARGE,)


def check_source(
    catalog: ModelCatalog, spec: ModelSpec, source: Media, asked: str, pictures_param: str = "image"
) -> None:
    """Refuse what the model cannot build on.

    Args:
        asked: The name of the model as it was asked for.
        pictures_param: The field that is to blame where the source is a picture.

    Raises:
        UnsupportedInputError: Why it cannot.
    """
    found = obstacle(spec, source, catalog.spec(source.model))
    if found is not None:
        param = pictures_param if spec.kind is MediaKind.IMAGE else "video"
        raise UnsupportedInputError(_sentence(found, spec, asked), param=param, code="unsupported_source")


def plan_route(
    targets: Sequence[str], plan_one: Callable[[str], GenerationRequest], *, name: str, is_strict: bool
) -> GenerationRequest:
    """The request for the first of these models that can make it, with the others behind it.

    Args:
        targets: Names of models in the order in which they are tried.
        plan_one: Makes the request for one of them.
        name: The name that was asked for, to be echoed.
        is_strict: Nothing may be adapted, so that no other model takes the place of the first.

    Raises:
        RequestError: None can make it; the error of the first.
    """
    planned: list[GenerationRequest] = []
    refused: list[RequestError] = []
    for target in targets[:1] if is_strict else targets:
        try:
            planned.append(_named(plan_one(target), name))
        except RequestError as error:
            refused.append(error)
    if not planned:
        raise refused[0]
    first, *others = planned
    return replace(first, others=tuple(others)) if others else first


def _named(request: GenerationRequest, name: str) -> GenerationRequest:
    if request.model == name:
        return request
    modest = None if request.modest is None else replace(request.modest, model=name)
    return replace(request, model=name, modest=modest)


def _only_picture(model: str, pictures: Sequence[Media], param: str) -> Media:
    if len(pictures) > 1:
        raise UnsupportedInputError(f"{model} enlarges one picture at a time, and {len(pictures)} came.", param=param)
    return pictures[0]


def _of_one(parsed: ParsedParameters) -> ParsedParameters:
    """For one result: enlarging the same thing again makes nothing new."""
    if parsed.count == 1:
        return parsed
    note = "What is enlarged is enlarged once: `n` is ignored."
    return replace(parsed, count=1, warnings=(*parsed.warnings, note))


def _sentence(found: Obstacle, spec: ModelSpec, asked: str) -> str:
    thing = "picture" if spec.kind is MediaKind.IMAGE else "video"
    match found:
        case Obstacle.OTHER_KIND:
            return f"{asked} builds on {thing}s, and what it is to build on is none."
        case Obstacle.UNKNOWN_UPSTREAM:
            return (
                f"{asked} builds on {thing}s that were made here and are kept by their upstream; name one by its link."
            )
        case Obstacle.OTHER_UPSTREAM:
            return f"{asked} builds on what was made at its own upstream, and the {thing} comes from another."
        case Obstacle.OTHER_MODEL:
            return f"{asked} changes what its own model has made, and the {thing} was made by another."
        case Obstacle.IN_PIECES:
            return (
                f"The {thing} was put together of several, which its upstream cannot enlarge as one; enlarge the first."
            )
        case _:
            return f"The {thing} is as large as {spec.size} already; ask for more with `resolution`, if {asked} has it."


def _in_shape_of(source: Media, parsed: ParsedParameters, catalog: ModelCatalog) -> ParsedParameters:
    """As it can come true for what builds on a result, whose shape it has; says so where another was wished for."""
    made_by, wish = catalog.spec(source.model or ""), parsed.wish
    if made_by is None:
        return parsed
    ratio = made_by.aspect_ratio
    if wish.ratio is None:
        return replace(parsed, wish=replace(wish, aspect_ratio=ratio))
    if ratio_distance(ratio, wish.ratio) <= SAME_RATIO:
        return parsed
    thing = "its video" if source.kind is MediaKind.VIDEO else "its picture"
    note = f"What builds on another has the shape of {thing}: {wish.size or wish.aspect_ratio} is ignored, and {ratio} is made."
    return replace(parsed, wish=replace(wish, aspect_ratio=ratio, size=None), warnings=(*parsed.warnings, note))


def _ratio_of_first(pictures: Sequence[Media]) -> float | None:
    first = pictures[0] if pictures else None
    return first.width / first.height if first and first.width and first.height else None


def _strict(request: GenerationRequest) -> GenerationRequest:
    """The request, if nothing about it was adapted."""
    if request.warnings:
        raise UnsupportedInputError(f"Refused because `strict` is set: {request.warnings[0]}", code="not_exact")
    return request


def _with_modest(
    request: GenerationRequest, fallback: Resolution | None, warnings: tuple[str, ...]
) -> GenerationRequest:
    """The request with the one that takes its place where that cannot be had, if there is one."""
    if fallback is None:
        return request
    modest = replace(
        request,
        spec=fallback.spec,
        size=request.size if request.size != str(request.spec.size) else str(fallback.spec.size),
        seconds=fallback.spec.seconds,
        warnings=(*warnings, *fallback.warnings),
    )
    return replace(request, modest=modest)


def _seconds(spec: ModelSpec, source_seconds: int | None) -> int | None:
    """How long the result will be: an extension holds what it extends; what is edited or enlarged is as long as before."""
    if spec.enlarges or (spec.mode is Mode.EDIT and source_seconds is not None):
        return source_seconds
    if spec.seconds is None or source_seconds is None:
        return spec.seconds
    return source_seconds + spec.seconds - spec.repeats_s


def _inputs(spec: ModelSpec, pictures: Sequence[Media], source: Media | None) -> tuple[Input, ...]:
    """Each input with what it is for, which follows from the mode of the model."""
    if spec.mode is Mode.FRAMES:
        roles = [InputRole.START, InputRole.END]
    else:
        roles = [InputRole.REFERENCE] * len(pictures)
    inputs = tuple(Input(media.id, role) for media, role in zip(pictures, roles, strict=False))
    return inputs if source is None else (*inputs, Input(source.id, InputRole.SOURCE))


def _mask(found: Resolution, mask: Media | None) -> tuple[Input, ...]:
    if mask is None or found.spec.masks is Masks.IGNORED:
        return ()
    if found.spec.masks is Masks.REFUSED:
        raise UnsupportedInputError(
            f"{found.asked} takes no mask; leave it out, and say in the prompt what is to change.", param="mask"
        )
    return (Input(mask.id, InputRole.MASK),)


def _mask_warnings(spec: ModelSpec, mask: Media | None) -> tuple[str, ...]:
    is_ignored = mask is not None and spec.masks is Masks.IGNORED
    return ("`mask` has no effect here and was ignored.",) if is_ignored else ()
