"""From what a door was given to one canonical request."""

from collections.abc import Mapping, Sequence

from flow2api.domain.catalog import Mode, ModelSpec
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.generation import GenerationRequest, Input, InputRole
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.parameters import read_wish
from flow2api.domain.catalog import ModelCatalog

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
    parsed = read_wish(fields, pictures=len(pictures), picture_ratio=ratio, text_values=text_values, has_source_video=source is not None)
    resolution = catalog.resolve(model, parsed.wish, kind, pictures_param=pictures_param)
    warnings = (*parsed.warnings, *resolution.warnings)
    if parsed.strict and warnings:
        raise UnsupportedInputError(f"Refused because `strict` is set: {warnings[0]}", code="not_exact")
    spec = resolution.spec
    return GenerationRequest(
        model=model,
        spec=spec,
        prompt=prompt,
        inputs=_inputs(spec, pictures, source),
        count=parsed.count,
        seed=parsed.seed,
        size=str(parsed.wish.size or spec.size),
        seconds=spec.seconds,
        warnings=warnings,
        parent_id=parent_id,
        door=door,
    )


def _inputs(spec: ModelSpec, pictures: Sequence[Media], source: Media | None) -> tuple[Input, ...]:
    """Each input with what it is for, which follows from the mode of the model."""
    if spec.mode is Mode.FRAMES:
        roles = [InputRole.START, InputRole.END]
    else:
        roles = [InputRole.REFERENCE] * len(pictures)
    inputs = tuple(Input(media.id, role) for media, role in zip(pictures, roles, strict=False))
    return inputs if source is None else (*inputs, Input(source.id, InputRole.SOURCE))
