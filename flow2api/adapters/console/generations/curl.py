"""A generation as a call of the API, for a shell."""

import json
import shlex

from flow2api.domain.generation import Generation
from flow2api.domain.media import MediaKind

_KEY = '"Authorization: Bearer $FLOW2API_KEY"'


def as_curl(generation: Generation, base_url: str) -> str:
    """The command that asks for the same; inputs stand in it as names of files, and the key as a variable."""
    is_image = generation.kind is MediaKind.IMAGE
    base = shlex.quote(base_url.rstrip("/"))
    if generation.inputs:
        return _with_files(generation, base, is_image=is_image)
    values: dict[str, object] = {"model": generation.model, "prompt": generation.prompt}
    if is_image and generation.count > 1:
        values["n"] = generation.count
    if generation.size:
        values["size"] = generation.size
    if not is_image and generation.seconds:
        values["seconds"] = str(generation.seconds)
    path = "images/generations" if is_image else "videos"
    body = shlex.quote(json.dumps(values, ensure_ascii=False))
    return _lines(f"curl {base}/v1/{path}", f"-H {_KEY}", '-H "Content-Type: application/json"', f"-d {body}")


def _with_files(generation: Generation, base: str, *, is_image: bool) -> str:
    fields = {"model": generation.model, "prompt": generation.prompt, "size": generation.size}
    if not is_image and generation.seconds:
        fields["seconds"] = str(generation.seconds)
    name = "image[]" if is_image else "input_reference"
    files = [f"-F {shlex.quote(f'{name}=@input-{number}.png')}" for number in range(1, len(generation.inputs) + 1)]
    texts = [f"--form-string {shlex.quote(f'{field}={value}')}" for field, value in fields.items() if value]
    path = "images/edits" if is_image else "videos"
    return _lines(f"curl {base}/v1/{path}", f"-H {_KEY}", *texts, *files)


def _lines(*parts: str) -> str:
    return " \\\n  ".join(parts)
