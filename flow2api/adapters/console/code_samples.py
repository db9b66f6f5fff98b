"""A request to the API as people send it from a shell and from programs."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from flow2api.domain.catalog import Mode
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
        builds: What is done with something that was made before; None where nothing is.
    """

    base_url: str
    kind: MediaKind
    model: str
    prompt: str
    shape: Mapping[str, str] = field(default_factory=dict)
    pictures: int = 0
    builds: Mode | None = None

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
        prompt = "" if self.builds is Mode.ENLARGE else self.prompt
        return {**self.source, "model": self.model, "prompt": prompt, **texts, **numbers}

    @property
    def source(self) -> dict[str, object]:
        """What names the thing that is built on."""
        if self.builds is None:
            return {}
        return {"image": "LINK_OF_THE_PICTURE"} if self.kind is MediaKind.IMAGE else {"video": {"id": "VIDEO_ID"}}

    @property
    def path(self) -> str:
        """Where it is asked for, behind the base."""
        if self.kind is MediaKind.IMAGE:
            return "images/edits" if self.pictures or self.builds else "images/generations"
        if self.builds is None:
            return "videos"
        return "videos/extensions" if self.builds is Mode.EXTEND else "videos/edits"


def samples(request: SampleRequest) -> tuple[Sample, ...]:
    """The same request three times."""
    return (
        Sample("curl", "curl", curl(request)),
        Sample("python", "Python", python(request)),
        Sample("javascript", "JavaScript", javascript(request)),
    )


def curl(request: SampleRequest) -> str:
    """For a shell. A picture comes as a link, for its bytes would be pages of text there."""
    if request.kind is MediaKind.IMAGE:
        return _curl_form(request, "image[]") if request.pictures else _curl_json(request)
    if request.builds:
        begun = _curl_json(request)
    else:
        begun = _curl_form(request, "input_reference[]" if request.pictures > 1 else "input_reference")
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
    if request.kind is MediaKind.IMAGE and request.builds:
        by_hand = f'result = client.post("/{request.path}", body={request.typed!r}, cast_to=ImagesResponse)'
        taken = "from openai.types import ImagesResponse"
        return "\n".join(["import base64", *opening[:3], taken, *opening[3:], by_hand, *_PYTHON_PICTURES])
    if request.kind is MediaKind.IMAGE:
        files = ", ".join(f'open({name!r}, "rb")' for name in request.files)
        call = (
            ["result = client.images.edit(", f"    image=[{files}],"] if files else ["result = client.images.generate("]
        )
        return "\n".join(["import base64", *opening, *call, *lines, *extra, ")", *_PYTHON_PICTURES])
    fetched = ['client.videos.download_content(video.id).write_to_file("video.mp4")']
    if request.builds or request.pictures > 1:
        imported = [] if request.builds else ["import httpx"]
        return "\n".join([*imported, *opening, *_python_by_hand(request), *fetched])
    given = [f'    input_reference=open({request.files[0]!r}, "rb"),'] if request.pictures else []
    return "\n".join([*opening, "video = client.videos.create_and_poll(", *lines, *given, *extra, ")", *fetched])


def _python_by_hand(request: SampleRequest) -> list[str]:
    """What the library has no method for, sent with what it brings along."""
    if request.builds:
        return [f'begun = client.post("/{request.path}", body={request.typed!r}, cast_to=object)', *_PYTHON_POLL]
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


_PYTHON_PICTURES = [
    "for number, picture in enumerate(result.data, 1):",
    '    with open(f"result-{number}.{result.output_format}", "wb") as file:',
    "        file.write(base64.b64decode(picture.b64_json))",
]
_PYTHON_POLL = ['video = client.videos.poll(begun["id"])']


def javascript(request: SampleRequest) -> str:
    """For Node 20 or later, without a library."""
    is_form = bool(request.pictures) or (request.kind is MediaKind.VIDEO and not request.builds)
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
        lines += [f"const body = JSON.stringify({_js(request.typed, indent=2)});"]
        sent = 'headers: { ...headers, "content-type": "application/json" }, body'
    lines += [f'const answer = await (await fetch(`${{base}}/{request.path}`, {{ method: "POST", {sent} }})).json();']
    lines += ["if (answer.error) throw new Error(answer.error.message);"]
    if request.kind is MediaKind.IMAGE:
        lines += [
            "answer.data.forEach((picture, index) =>",
            '  writeFileSync(`result-${index + 1}.${answer.output_format}`, Buffer.from(picture.b64_json, "base64")));',
        ]
        return "\n".join(lines)
    lines += [
        "let video = answer;",
        'while (video.status === "queued" || video.status === "in_progress") {',
        "  await new Promise((resolve) => setTimeout(resolve, 5000));",
        "  video = await (await fetch(`${base}/videos/${video.id}`, { headers })).json();",
        "}",
        'if (video.status !== "completed") throw new Error(video.error?.message ?? video.status);',
        "const content = await fetch(`${base}/videos/${video.id}/content`, { headers });",
        'writeFileSync("video.mp4", Buffer.from(await content.arrayBuffer()));',
    ]
    return "\n".join(lines)


def _curl_json(request: SampleRequest) -> str:
    text = json.dumps({**request.typed, **_as_link(request)}, ensure_ascii=False, indent=2)
    return " \\\n".join([*_curl_head(request), '  -H "Content-Type: application/json"', f"  -d {shlex.quote(text)}"])


def _curl_form(request: SampleRequest, field_name: str) -> str:
    fields = {**request.typed, **_as_link(request)}
    # Not -F for texts: a prompt that begins with @ would name a file.
    texts = [f"  --form-string {shlex.quote(f'{name}={value}')}" for name, value in fields.items()]
    files = [f"  -F {shlex.quote(f'{field_name}=@{name}')}" for name in request.files]
    return " \\\n".join([*_curl_head(request), *texts, *files])


def _as_link(request: SampleRequest) -> dict[str, str]:
    return {"response_format": "url"} if request.kind is MediaKind.IMAGE else {}


def _curl_head(request: SampleRequest) -> list[str]:
    return [f"curl -sS {shlex.quote(f'{request.base_url}/{request.path}')}", f'  -H "Authorization: Bearer ${KEY}"']


def _js(value: object, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
