"""The wheel, built from the checkout and installed where nothing else is: what users get is what is tested."""

import email
import json
import re
import subprocess
import time
import tomllib
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import flow2api
from tests.e2e.with_parent import tied
from tests.packaging.installation import (
    ROOT,
    Installation,
    built,
    installed,
    link_packages,
    locked_packages,
    pip,
    with_requirements,
)

START_UP_S = 60.0
SHUT_DOWN_S = 30.0

pytestmark = pytest.mark.xdist_group("packaging")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def installation(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel and the packages of the runtime lock."""
    return installed(tmp_path_factory.mktemp("empty"), [wheel], locked_packages())


def files_below(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix not in {".pyc", ".pyo"}
    }


def test_wheel_holds_the_package_its_templates_assets_and_translations_and_nothing_else(wheel: Path) -> None:
    package = {f"flow2api/{name}" for name in files_below(ROOT / "flow2api")}
    folders = {"templates", "static", "locale"}
    beside = {f"flow2api/{folder}/{name}" for folder in folders for name in files_below(ROOT / folder)}

    with zipfile.ZipFile(wheel) as archive:
        content = {name for name in archive.namelist() if ".dist-info/" not in name}

    assert {name.split("/")[1] for name in beside} == folders
    assert content == package | beside
    assert "flow2api/py.typed" in content


def test_wheel_names_its_version_license_and_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        about = f"flow2api-{flow2api.__version__}.dist-info"
        metadata = email.message_from_bytes(archive.read(f"{about}/METADATA"))
        commands = archive.read(f"{about}/entry_points.txt").decode()
        license_text = archive.read(f"{about}/licenses/LICENSE").decode()

    assert metadata["Version"] == flow2api.__version__
    assert metadata["License-Expression"] == "MIT"
    assert license_text.startswith("MIT License")
    assert "flow2api = flow2api.cli:main" in commands


def test_installed_command_says_its_version(installation: Installation) -> None:
    assert flow2api.__version__ in installation.run("flow2api", "--version")


def test_installed_package_is_the_one_of_the_wheel(installation: Installation) -> None:
    place = installation.run("python", "-c", "import flow2api; print(flow2api.__file__)").strip()

    assert Path(place).is_relative_to(installation.bin.parent)


@pytest.fixture
def demo(installation: Installation) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, str]]]:
    ready = installation.away / "ready.json"
    output = installation.away / "demo.log"
    command = [str(installation.bin / "flow2api"), "demo", "--port", "0", "--ready-file", str(ready)]
    with (
        output.open("wb") as log,
        subprocess.Popen(
            tied(command), cwd=installation.away, env=installation.variables, stdout=log, stderr=log
        ) as process,
    ):
        try:
            until = time.monotonic() + START_UP_S
            while not ready.exists():
                assert process.poll() is None, f"demo ended at once:\n{output.read_text('utf-8')}"
                assert time.monotonic() < until, f"demo is not ready:\n{output.read_text('utf-8')}"
                time.sleep(0.05)
            yield process, json.loads(ready.read_text("utf-8"))
        finally:
            process.kill()


def test_installed_demo_serves_and_ends_when_told(demo: tuple[subprocess.Popen[bytes], dict[str, str]]) -> None:
    process, ready = demo
    request = urllib.request.Request(
        f"{ready['base_url']}/models", headers={"authorization": f"Bearer {ready['api_key']}"}
    )

    with urllib.request.urlopen(request, timeout=30) as answer:
        models = json.load(answer)
    process.terminate()

    assert models["object"] == "list"
    assert len(models["data"]) > 0
    assert process.wait(SHUT_DOWN_S) == 0


@pytest.fixture(scope="module")
def new_plugin(installation: Installation) -> Path:
    """The package that ``flow2api plugins new`` writes, installed; what its tests need is there as well."""
    installation.run("flow2api", "plugins", "new", "very_thrifty")
    project = installation.away / "flow2api-very-thrifty"
    pip(
        installation.bin / "python",
        "install",
        "--no-deps",
        "--no-index",
        "--quiet",
        str(built(project, project / "dist")),
    )
    [packages] = installation.bin.parent.glob("lib/python*/site-packages")
    project_file = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    testing = project_file["project"]["optional-dependencies"]["testing"]
    link_packages(packages, with_requirements(name.split(">")[0] for name in testing))
    return project


def test_tests_of_a_new_plugin_pass_where_it_is_installed(installation: Installation, new_plugin: Path) -> None:
    told = installation.run(
        "python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(new_plugin), str(new_plugin)
    )

    assert re.search(r"^\d\d passed", told, re.MULTILINE)


def test_new_plugin_is_loaded_when_it_is_enabled(installation: Installation, new_plugin: Path) -> None:
    def listed(**settings: str) -> dict[str, Any]:
        command = [str(installation.bin / "flow2api"), "plugins", "--json"]
        done = subprocess.run(
            command, cwd=installation.away, env=installation.variables | settings, capture_output=True, check=True
        )
        return {plugin["name"]: plugin for plugin in json.loads(done.stdout)["plugins"]}

    assert listed()["very_thrifty"]["state"] == "not enabled"
    loaded = listed(FLOW2API_PLUGINS="very_thrifty")["very_thrifty"]
    assert (loaded["state"], loaded["error"]) == ("loaded", None)
    assert loaded["source"] == "package flow2api-very-thrifty (flow2api_very_thrifty)"
    assert loaded["hooks"] == ["register_selection_policies", "register_settings"]
