"""From what a door was given to one canonical request."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from flow2api.domain.catalog import Mode, ModelCatalog, ModelSpec, Resolution
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.generation import GenerationRequest, Input, InputRole
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.parameters import read_wish

MAX_PROMPT_CHARACTERS = 32_000


def plan_request(
    catalog: ModelCatalog,
    *,
    model: str,
    kind: MediaKind | None,
    prompt: str,
    fields: Mapping[str, object],
    pictures: Sequence[Media] = (),
    source: Media | None = None,
    text_values: bool = False,
    pictures_param: str = "image",
    source_param: str = "video",
    parent_id: str | None = None,
    door: str = "",
) -> GenerationRequest:
    """The canonical request for what came through a door.

    Args:
        kind: What the door makes; None when it makes either.
        fields: Every further field of the request, in whatever spelling clients use.
        pictures: The input pictures, already kept, in the order in which they came.
        source: The video to be extended.
        text_values: All values are text (multipart), so numbers and booleans may come as strings.
        pictures_param: The field to name when there are too many or too few pictures.
        source_param: The field to name when a source video is missing or of no use.

    Raises:
        UnknownModelError: There is no such model.
        UnsupportedInputError: A field cannot be used; or, with ``"strict": true``, would have been adapted.
    """
    if not prompt.strip():
        raise UnsupportedInputError("The prompt is empty; say what to make.", param="prompt", code="invalid_prompt")
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise UnsupportedInputError(
            f"The prompt has {len(prompt)} characters; at most {MAX_PROMPT_CHARACTERS} are taken.",
            param="prompt",
            code="invalid_prompt",
        )
    ratio = None
    if pictures and pictures[0].width and pictures[0].height:
        ratio = pictures[0].width / pictures[0].height
    parsed = read_wish(
        fields,
        pictures=len(pictures),
        picture_ratio=ratio,
        has_source_video=source is not None,
        text_values=text_values,
    )
    resolution = catalog.resolve(model, parsed.wish, kind, pictures_param=pictures_param, source_param=source_param)
    request = GenerationRequest(
        model=model,
        spec=resolution.spec,
        prompt=prompt,
        inputs=_inputs(resolution.spec, pictures, source),
        count=parsed.count,
        seed=parsed.seed,
        size=str(parsed.wish.size or resolution.spec.size),
        seconds=resolution.spec.seconds,
        warnings=(*parsed.warnings, *resolution.warnings),
        parent_id=parent_id,
        door=door,
    )
    if parsed.strict and request.warnings:
        raise UnsupportedInputError(f"Refused because `strict` is set: {request.warnings[0]}", code="not_exact")
    modest = None if parsed.strict else resolution.fallback
    return request if modest is None else replace(request, modest=_modest(request, modest, parsed.warnings))


def _modest(request: GenerationRequest, fallback: Resolution, warnings: tuple[str, ...]) -> GenerationRequest:
    return replace(
        request,
        spec=fallback.spec,
        size=request.size if request.size != str(request.spec.size) else str(fallback.spec.size),
        seconds=fallback.spec.seconds,
        warnings=(*warnings, *fallback.warnings),
    )


def _inputs(spec: ModelSpec, pictures: Sequence[Media], source: Media | None) -> tuple[Input, ...]:
    """Each input with what it is for, which follows from the mode of the model."""
    if spec.mode is Mode.FRAMES:
        roles = [InputRole.START, InputRole.END]
    else:
        roles = [InputRole.REFERENCE] * len(pictures)
    inputs = tuple(Input(media.id, role) for media, role in zip(pictures, roles, strict=False))
    return inputs if source is None else (*inputs, Input(source.id, InputRole.SOURCE))
