"""The packages under examples/, installed beside the wheel where nothing of the checkout is: their tests, and a server."""

import json
import shutil
import subprocess
import time
import tomllib
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.processes import free_port
from tests.e2e.with_parent import tied
from tests.packaging.installation import (
    ROOT,
    Installation,
    built,
    installed,
    locked_packages,
    pip,
    with_requirements,
)

EXAMPLES = sorted(path.parent for path in (ROOT / "examples").glob("*/pyproject.toml"))
STARTS_WITHIN_S = 60.0

pytestmark = pytest.mark.slow


def project_of(example: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((example / "pyproject.toml").read_text("utf-8"))["project"]
    return project


PLUGINS = sorted(name for example in EXAMPLES for name in project_of(example)["entry-points"]["flow2api"])


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel, every example, and what they need; the tests of the examples lie far from their sources."""
    folder = tmp_path_factory.mktemp("examples")
    wheels = [built(project, folder / "dist") for project in (ROOT, *EXAMPLES)]
    testing = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]["testing"]
    needed = with_requirements([*(name.split(">")[0] for name in testing), "lmdb"])
    made = installed(folder, wheels, {*locked_packages(), *needed})
    for example in EXAMPLES:
        shutil.copytree(example / "tests", made.away / example.name / "tests")
        shutil.copy(example / "pyproject.toml", made.away / example.name)
    return made


def test_there_is_one_of_each_kind() -> None:
    assert {name.partition("_")[0] for name in PLUGINS} == {
        "models",
        "observer",
        "panel",
        "policy",
        "storage",
        "upstream",
    }


def test_every_dependency_is_declared_and_there(installation: Installation) -> None:
    assert "No broken requirements" in pip(installation.bin / "python", "check")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_tests_of_the_example_pass_where_it_is_installed(installation: Installation, example: Path) -> None:
    folder = str(installation.away / example.name)

    told = installation.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder, folder)

    assert " passed" in told


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example_says_what_it_is(example: Path) -> None:
    readme, project = (example / "README.md").read_text("utf-8"), project_of(example)

    assert readme.startswith(f"# {project['name']}\n")
    assert project["name"] == example.name
    assert f"pip install {project['name']}" in readme
    [plugin] = project["entry-points"]["flow2api"]
    assert plugin in readme


@pytest.fixture(scope="module")
def variables(installation: Installation) -> dict[str, str]:
    """The settings of a server that lives on examples alone."""
    return {
        "FLOW2API_PLUGINS": ",".join(PLUGINS),
        "FLOW2API_DATA_DIR": str(installation.away / "data"),
        "FLOW2API_DATABASE_URL": f"lmdb:///{installation.away}/lmdb",
        "FLOW2API_LINES__FILE": str(installation.away / "notices.jsonl"),
        "FLOW2API_OPTIONS__POLICY": "richest",
        "FLOW2API_LINGER_S": "0",
    }


def told(installation: Installation, variables: Mapping[str, str], *command: str) -> Any:
    return json.loads(installation.run("flow2api", *command, "--json", **variables))


@pytest.fixture(scope="module")
def server(installation: Installation, variables: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Its address, and an API key."""
    key: str = told(installation, variables, "keys", "create")["key"]
    (installation.away / "key").write_text("swatch-key-of-the-examples")
    told(installation, variables, "accounts", "add", "--upstream", "swatch", "--api-key-file", "key")
    base = f"http://127.0.0.1:{(port := free_port())}"
    command = [str(installation.bin / "flow2api"), "serve", "--port", str(port)]
    log = installation.away / "serve.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            tied(command), cwd=installation.away, env=installation.variables | variables, stdout=output, stderr=output
        ) as process,
    ):
        try:
            until = time.monotonic() + STARTS_WITHIN_S
            while not is_ready(base):
                assert process.poll() is None, log.read_text("utf-8")
                assert time.monotonic() < until, log.read_text("utf-8")
                time.sleep(0.1)
            yield base, key
        finally:
            process.terminate()
            process.wait(30)


def is_ready(base: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def test_names_and_policies_of_examples_are_listed(installation: Installation, variables: dict[str, str]) -> None:
    policies = {policy["name"] for policy in told(installation, variables, "policies", "list")["policies"]}
    models = {model["name"] for model in told(installation, variables, "models")["models"]}

    assert "richest" in policies
    assert {"poster-print", "swatch-square", "swatch-landscape"} <= models
    assert told(installation, variables, "models", "poster")


def notices(installation: Installation) -> set[str]:
    """The kinds of what was told; a line that is being written counts when it is whole."""
    file = installation.away / "notices.jsonl"
    text = file.read_text("utf-8") if file.exists() else ""
    return {json.loads(line)["kind"] for line in text.splitlines(keepends=True) if line.endswith("\n")}


def test_server_on_examples_makes_a_picture(
    installation: Installation, server: tuple[str, str], variables: dict[str, str]
) -> None:
    base, key = server
    body = {"model": "swatch", "prompt": "teal", "response_format": "b64_json", "size": "1024x1024"}
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(f"{base}/v1/images/generations", json.dumps(body).encode(), headers)

    with urllib.request.urlopen(request, timeout=60) as answer:
        (picture,) = json.load(answer)["data"]

    assert picture["b64_json"].startswith("iVBORw0KGgo")
    (account,) = told(installation, variables, "accounts", "list")["accounts"]
    assert account["upstream"] == "swatch"
    until = time.monotonic() + 60
    while not (lines := told(installation, variables, "logs")["lines"]):
        assert time.monotonic() < until
    while "generation.completed" not in notices(installation):  # its observer has a thread of its own
        assert time.monotonic() < until
        time.sleep(0.1)
    assert [(line["model"], line["state"]) for line in lines] == [("swatch-square", "completed")]
