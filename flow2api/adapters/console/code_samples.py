"""A request to the API as people send it from a shell and from programs."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from flow2api.domain.media import MediaKind

KEY = "API_KEY"
"""The environment variable that samples take the key from; no sample holds one."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A piece of code.

    Attributes:
        name: ``curl``, ``python`` or ``javascript``.
    """

    name: str
    words: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRequest:
    """What is asked for.

    Attributes:
        base_url: Of the API, with ``/v1``.
        shape: Further parameters as text: ``aspect_ratio``, ``resolution``, ``seconds``, ``n``, ``seed``.
        pictures: How many pictures go along.
        extends: A video is gone on with.
    """

    base_url: str
    kind: MediaKind
    model: str
    prompt: str
    shape: Mapping[str, str] = field(default_factory=dict)
    pictures: int = 0
    extends: bool = False

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the files that stand for the pictures."""
        return tuple(f"picture-{index}.png" for index in range(1, self.pictures + 1))

    @property
    def typed(self) -> dict[str, object]:
        """All fields as JSON has them; a video's length is text, as the official libraries send it."""
        numbers = {name: int(value) for name, value in self.shape.items() if name in ("n", "seed") and value != "1"}
        numbers |= {"seed": int(self.shape["seed"])} if "seed" in self.shape else {}
        texts = {name: value for name, value in self.shape.items() if name not in ("n", "seed")}
        return {"model": self.model, "prompt": self.prompt, **texts, **numbers}


def samples(request: SampleRequest) -> tuple[Sample, ...]:
    """The same request three times."""
    return (
        Sample("curl", "curl", curl(request)),
        Sample("python", "Python", python(request)),
        Sample("javascript", "JavaScript", javascript(request)),
    )


def curl(request: SampleRequest) -> str:
    """For a shell."""
    if request.kind is MediaKind.IMAGE:
        path = "images/edits" if request.pictures else "images/generations"
        return _curl_form(request, path, "image[]") if request.pictures else _curl_json(request, path, request.typed)
    if request.extends:
        begun = _curl_json(request, "videos/extensions", {"video": {"id": "VIDEO_ID"}, **request.typed})
    else:
        begun = _curl_form(request, "videos", "input_reference[]" if request.pictures > 1 else "input_reference")
    head = f'-H "Authorization: Bearer ${KEY}"'
    return (
        f"{begun}\n\n# Ask by the id in the answer until its status is completed, then fetch the video.\n"
        f"curl -sS {request.base_url}/videos/NEW_ID {head}\n"
        f"curl -sS {request.base_url}/videos/NEW_ID/content {head} -o video.mp4"
    )


def python(request: SampleRequest) -> str:
    """For the official library."""
    more = {name: value for name, value in request.typed.items() if name not in ("model", "prompt", "n", "seconds")}
    arguments = {name: value for name, value in request.typed.items() if name not in more}
    lines = [f"    {name}={value!r}," for name, value in arguments.items()]
    extra = [f"    extra_body={more!r},"] if more else []
    opening = [
        "import os",
        "",
        "from openai import OpenAI",
        "",
        f'client = OpenAI(base_url={request.base_url!r}, api_key=os.environ["{KEY}"])',
    ]
    if request.kind is MediaKind.IMAGE:
        files = ", ".join(f'open({name!r}, "rb")' for name in request.files)
        call = (
            ["result = client.images.edit(", f"    image=[{files}],"] if files else ["result = client.images.generate("]
        )
        ending = [
            "for number, picture in enumerate(result.data, 1):",
            '    with open(f"result-{number}.png", "wb") as file:',
            "        file.write(base64.b64decode(picture.b64_json))",
        ]
        return "\n".join(["import base64", *opening, *call, *lines, *extra, ")", *ending])
    fetched = ['client.videos.download_content(video.id).write_to_file("video.mp4")']
    if request.extends or request.pictures > 1:
        imported = [] if request.extends else ["import httpx"]
        return "\n".join([*imported, *opening, *_python_by_hand(request), *fetched])
    given = [f'    input_reference=open({request.files[0]!r}, "rb"),'] if request.pictures else []
    return "\n".join([*opening, "video = client.videos.create_and_poll(", *lines, *given, *extra, ")", *fetched])


def _python_by_hand(request: SampleRequest) -> list[str]:
    """What the library has no method for, sent with what it brings along."""
    if request.extends:
        body = {"video": {"id": "VIDEO_ID"}, **request.typed}
        return [f'begun = client.post("/videos/extensions", body={body!r}, cast_to=object)', *_PYTHON_POLL]
    files = ", ".join(f'("input_reference[]", open({name!r}, "rb"))' for name in request.files)
    return [
        "begun = httpx.post(",
        f"    {request.base_url + '/videos'!r},",
        f'    headers={{"authorization": f"Bearer {{os.environ[{KEY!r}]}}"}},',
        f"    data={ {name: str(value) for name, value in request.typed.items()}!r},",
        f"    files=[{files}],",
        "    timeout=600,",
        ").raise_for_status().json()",
        *_PYTHON_POLL,
    ]


_PYTHON_POLL = ['video = client.videos.poll(begun["id"])']


def javascript(request: SampleRequest) -> str:
    """For Node 20 or later, without a library."""
    is_form = bool(request.pictures) or (request.kind is MediaKind.VIDEO and not request.extends)
    path = "videos" if request.kind is MediaKind.VIDEO else "images/edits" if request.pictures else "images/generations"
    path = "videos/extensions" if request.extends else path
    lines = ['import { openAsBlob, writeFileSync } from "node:fs";'] if request.pictures else []
    lines += [] if request.pictures else ['import { writeFileSync } from "node:fs";']
    lines += ["", f"const base = {_js(request.base_url)};"]
    lines += [f"const headers = {{ authorization: `Bearer ${{process.env.{KEY}}}` }};"]
    if is_form:
        field_name = "image[]" if request.kind is MediaKind.IMAGE else "input_reference[]"
        lines += ["const body = new FormData();"]
        lines += [f"body.append({_js(name)}, {_js(str(value))});" for name, value in request.typed.items()]
        lines += [
            f"body.append({_js(field_name)}, await openAsBlob({_js(name)}), {_js(name)});" for name in request.files
        ]
        sent = "headers, body"
    else:
        fields = {"video": {"id": "VIDEO_ID"}, **request.typed} if request.extends else request.typed
        lines += [f"const body = JSON.stringify({_js(fields, indent=2)});"]
        sent = 'headers: { ...headers, "content-type": "application/json" }, body'
    lines += [f'const answer = await (await fetch(`${{base}}/{path}`, {{ method: "POST", {sent} }})).json();']
    if request.kind is MediaKind.IMAGE:
        lines += [
            "answer.data.forEach((picture, index) =>",
            '  writeFileSync(`result-${index + 1}.png`, Buffer.from(picture.b64_json, "base64")));',
        ]
        return "\n".join(lines)
    lines += [
        "let video = answer;",
        'while (video.status === "queued" || video.status === "in_progress") {',
        "  await new Promise((resolve) => setTimeout(resolve, 5000));",
        "  video = await (await fetch(`${base}/videos/${video.id}`, { headers })).json();",
        "}",
        "const content = await fetch(`${base}/videos/${video.id}/content`, { headers });",
        'writeFileSync("video.mp4", Buffer.from(await content.arrayBuffer()));',
    ]
    return "\n".join(lines)


def _curl_json(request: SampleRequest, path: str, body: Mapping[str, object]) -> str:
    text = json.dumps(body, ensure_ascii=False, indent=2)
    return " \\\n".join(
        [*_curl_head(request, path), '  -H "Content-Type: application/json"', f"  -d {shlex.quote(text)}"]
    )


def _curl_form(request: SampleRequest, path: str, field_name: str) -> str:
    # Not -F for texts: a prompt that begins with @ would name a file.
    texts = [f"  --form-string {shlex.quote(f'{name}={value}')}" for name, value in request.typed.items()]
    files = [f"  -F {shlex.quote(f'{field_name}=@{name}')}" for name in request.files]
    return " \\\n".join([*_curl_head(request, path), *texts, *files])


def _curl_head(request: SampleRequest, path: str) -> list[str]:
    return [f"curl -sS {shlex.quote(f'{request.base_url}/{path}')}", f'  -H "Authorization: Bearer ${KEY}"']


def _js(value: object, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
