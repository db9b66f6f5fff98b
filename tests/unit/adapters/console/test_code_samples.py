"""The same request in three languages: nothing that was typed gets out of its quotes, and no key stands in it."""

import ast
import json
import shlex
import shutil
import subprocess
from itertools import product

import pytest

from flow2api.adapters.console.code_samples import SampleRequest, curl, javascript, python, samples
from flow2api.domain.catalog import Mode
from flow2api.domain.media import MediaKind

HOSTILE = '@it\'s "quoted" $HOME `id` ${x}\n</script> \\ %s {y}'


def asked(kind: MediaKind = MediaKind.IMAGE, pictures: int = 0, builds: Mode | None = None) -> SampleRequest:
    return SampleRequest(
        base_url="https://flow.example.org/v1",
        kind=kind,
        model="m",
        prompt=HOSTILE,
        shape={"aspect_ratio": "16:9", "n": "2", "seed": "7", "seconds": "8"},
        pictures=pictures,
        builds=builds,
    )


ALL = [asked(kind, pictures) for kind, pictures in product(MediaKind, (0, 1, 3))]
ALL += [asked(MediaKind.VIDEO, builds=mode) for mode in (Mode.EXTEND, Mode.EDIT)]
ENLARGING = [asked(kind, builds=Mode.ENLARGE) for kind in MediaKind]


@pytest.mark.parametrize("request_", ALL)
def test_curl_is_taken_apart_by_a_shell_into_what_was_asked(request_: SampleRequest) -> None:
    command = curl(request_).split("\n\n# Ask")[0].replace(" \\\n", " ")

    words = shlex.split(command)

    assert words[0] == "curl"
    assert "Authorization: Bearer $API_KEY" in words
    if "-d" in words:
        sent = json.loads(words[words.index("-d") + 1])
    else:
        texts = [words[at + 1] for at, word in enumerate(words) if word == "--form-string"]
        sent = dict(text.split("=", 1) for text in texts)
    assert sent["prompt"] == HOSTILE
    assert str(sent["seed"]) == "7"
    assert [word for word in words if word.endswith(".png")] == [
        f"{'image[]' if request_.kind is MediaKind.IMAGE else 'input_reference[]' if request_.pictures > 1 else 'input_reference'}"
        f"=@{name}"
        for name in request_.files
    ]


@pytest.mark.parametrize("request_", ALL)
def test_python_is_python_and_says_the_prompt_as_it_was_typed(request_: SampleRequest) -> None:
    tree = ast.parse(python(request_))

    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    assert HOSTILE in texts
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert {"base64", "httpx", "os"} & used <= imported


@pytest.mark.parametrize(
    ("request_", "path", "named"),
    [
        (ALL[-2], "videos/extensions", {"video": {"id": "VIDEO_ID"}}),
        (ALL[-1], "videos/edits", {"video": {"id": "VIDEO_ID"}}),
        (ENLARGING[0], "images/edits", {"image": "LINK_OF_THE_PICTURE", "prompt": ""}),
        (ENLARGING[1], "videos/edits", {"video": {"id": "VIDEO_ID"}, "prompt": ""}),
    ],
)
def test_what_is_built_on_is_named_at_its_door(request_: SampleRequest, path: str, named: dict[str, object]) -> None:
    words = shlex.split(curl(request_).split("\n\n# Ask")[0].replace(" \\\n", " "))
    assert words[2] == f"https://flow.example.org/v1/{path}"
    assert json.loads(words[words.index("-d") + 1]).items() >= named.items()
    assert f'"/{path}"' in python(request_)
    ast.parse(python(request_))
    assert f"/{path}`" in javascript(request_)


@pytest.mark.parametrize("request_", ALL)
def test_javascript_is_javascript(request_: SampleRequest) -> None:
    text = javascript(request_)

    assert json.dumps(HOSTILE, ensure_ascii=False) in text
    node = shutil.which("node")
    if node is not None:
        subprocess.run([node, "--input-type=module", "--check"], input=text.encode(), check=True)


def test_one_result_and_no_wish_are_not_spelled_out() -> None:
    plain = SampleRequest(base_url="https://h/v1", kind=MediaKind.IMAGE, model="m", prompt="p", shape={"n": "1"})

    sent = json.loads(shlex.split(curl(plain).replace(" \\\n", " "))[-1])
    assert sent == {"model": "m", "prompt": "p", "response_format": "url"}
    assert [one.name for one in samples(plain)] == ["curl", "python", "javascript"]


@pytest.mark.parametrize("request_", [one for one in ALL if one.kind is MediaKind.IMAGE])
def test_picture_comes_to_a_shell_as_a_link_and_to_a_file_under_the_name_of_its_format(request_: SampleRequest) -> None:
    assert "response_format" in curl(request_)
    for text in (python(request_), javascript(request_)):
        assert "output_format" in text
        assert "result-1.png" not in text
        assert "response_format" not in text


@pytest.mark.parametrize("request_", ALL)
def test_javascript_says_what_the_server_refused(request_: SampleRequest) -> None:
    text = javascript(request_)

    assert "if (answer.error) throw" in text
    assert ('video.status !== "completed"' in text) == (request_.kind is MediaKind.VIDEO)
