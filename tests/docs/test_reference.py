"""The reference is complete: whatever has a name that others use has its heading."""

import ast
import contextlib
import io
import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from types import ModuleType

import click
import msgspec
import pytest
from litestar.routes import HTTPRoute

from docs import generate, markdown
from flow2api import __version__, hookspecs
from flow2api.adapters.openai_api.router import PREFIXES
from flow2api.adapters.server import refusals
from flow2api.app import build_services, create_app
from flow2api.cli import cli
from flow2api.domain import errors as tree
from flow2api.domain.options import Options
from flow2api.extensions import load_extensions
from flow2api.extensions.versions import fits
from flow2api.plugins.upstream_flow import FlowSettings
from flow2api.plugins.upstream_gemini import GeminiSettings
from flow2api.settings import Settings, load_settings
from flow2api.simulator import __main__ as simulator_main
from flow2api.simulator.control_schema import AccountKnobs, Fault, SimOptions
from tests.docs.pages import DOCS, ROOT, blocks, headings

REFERENCE = DOCS / "reference"
CALLED_WITH_CODE = ("Fault", "PictureRefusedError")
"""What takes a code as its first argument."""

INSIDE_ONLY = {"taken_over"}
"""Codes that no caller meets."""


def test_every_setting_has_its_heading() -> None:
    named = {f"`{field.name}`" for field in fields(Settings) if field.name not in generate.NOT_SET_BY_NAME}
    assert named <= set(headings(REFERENCE / "settings.md"))


def test_every_setting_of_the_upstreams_is_listed() -> None:
    text = (REFERENCE / "settings.md").read_text("utf-8")
    listed = [f"FLOW2API_FLOW__{field.name.upper()}" for field in msgspec.structs.fields(FlowSettings)]
    listed += [f"FLOW2API_GEMINI__{field.name.upper()}" for field in msgspec.structs.fields(GeminiSettings)]
    assert [name for name in listed if f"`{name}`" not in text] == []


def test_every_option_has_its_heading() -> None:
    assert {f"`{field.name}`" for field in fields(Options)} <= set(headings(REFERENCE / "options.md"))


HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("register_"))


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_has_a_page_with_its_signature_as_heading_and_an_example_that_loads(hook: str) -> None:
    page = REFERENCE / "hooks" / f"{hook.removeprefix('register_').replace('_', '-')}.md"
    assert headings(page)[0] == f"`{generate.signature(getattr(hookspecs, hook))}`"

    example = ModuleType(f"example_of_{hook}")
    (code,) = (block.text for block in blocks(page) if block.language == "python")
    exec(compile(code, str(page), "exec"), example.__dict__)
    found = load_extensions(extra={"example": example})

    (plugin,) = (plugin for plugin in found.plugins if plugin.name == "example")
    assert plugin.error is None
    assert hook in plugin.hooks


@pytest.mark.parametrize("hook", HOOKS)
def test_hook_is_no_younger_than_the_program(hook: str) -> None:
    since = re.findall(r"[Ss]ince (\d+(?:\.\d+)+)", getattr(hookspecs, hook).__doc__)
    assert since, "its docstring has to say since when it is there"
    assert all(fits(__version__, f">={one}") for one in since)


def test_every_ability_that_is_asked_for_is_named_by_the_page_of_a_hook() -> None:
    pages = "".join(page.read_text("utf-8") for page in (REFERENCE / "hooks").glob("*.md"))
    found = "\n".join(path.read_text("utf-8") for path in (ROOT / "flow2api" / "domain").rglob("*.py"))
    abilities = re.findall(r"^@runtime_checkable\nclass (\w+)", found, re.MULTILINE)
    assert len(abilities) > 10
    assert [name for name in abilities if f"`{name}`" not in pages] == []


def test_no_page_is_of_a_hook_that_is_not() -> None:
    named = {f"register_{page.stem.replace('-', '_')}" for page in (REFERENCE / "hooks").glob("*.md")}
    assert named == set(HOOKS)


def test_every_command_has_its_heading() -> None:
    assert {f"`{path}`" for path, _ in generate.walk(cli)} <= set(headings(REFERENCE / "command-line.md"))
    assert isinstance(cli, click.Group)


def test_every_error_code_has_its_heading() -> None:
    found = set(headings(REFERENCE / "errors.md"))
    codes = {cls.code for cls in _tree(tree.Flow2ApiError)} | _codes_in_the_code()
    assert {code for code in codes - INSIDE_ONLY if f"`{code}`" not in found} == set()


def test_every_code_of_the_connection_has_its_heading() -> None:
    known = [one for one in vars(refusals).values() if isinstance(one, refusals.Refusal)]
    assert set(known) == set(refusals.REFUSALS)
    assert {f"`{one.code}`" for one in known} <= set(headings(REFERENCE / "errors.md"))


def test_no_heading_of_an_error_is_of_the_past() -> None:
    codes = {cls.code for cls in _tree(tree.Flow2ApiError)} | _codes_in_the_code()
    text = "".join(path.read_text("utf-8") for path in (ROOT / "flow2api").rglob("*.py"))
    told = {heading.strip("`") for heading in headings(REFERENCE / "errors.md") if heading.startswith("`")}
    assert {code for code in told - codes if f'"{code}"' not in text} == set()


def test_every_route_has_its_heading(tmp_path: Path) -> None:
    found = set(headings(REFERENCE / "http-api.md"))
    pages = (REFERENCE / name for name in ("admin-api.md", "operator-api.md"))
    for_operators = "".join(page.read_text("utf-8") for page in pages)  # other paths of a route have no heading
    routes = set(_routes(tmp_path))
    assert {route for route in routes if f"`{route}`" not in found and f"`{route}`" not in for_operators} == set()
    assert len(routes) > 50


def test_every_command_has_its_route_or_the_reason_why_it_has_none() -> None:
    rows = [line for line in (REFERENCE / "operator-api.md").read_text("utf-8").splitlines() if line.startswith("| `")]
    told = [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])]
    commands = [path.removeprefix("flow2api ") for path, _ in generate.walk(cli)]

    assert sorted(told) == sorted(commands)


def test_every_option_of_the_simulator_is_listed() -> None:
    text = (REFERENCE / "simulator.md").read_text("utf-8")
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), pytest.raises(SystemExit):
        simulator_main.parse(["--help"])
    options = set(re.findall(r"--[a-z-]+", shown.getvalue())) - {"--help"}
    assert {option for option in options if f"`{option}`" not in text} == set()


@pytest.mark.parametrize("struct", [AccountKnobs, SimOptions, Fault])
def test_everything_of_the_simulator_that_can_be_set_has_a_meaning(struct: type[msgspec.Struct]) -> None:
    told = markdown.attributes(struct)
    assert [field.name for field in msgspec.structs.fields(struct) if not told.get(field.name)] == []


def _tree(cls: type[tree.Flow2ApiError]) -> Iterator[type[tree.Flow2ApiError]]:
    yield cls
    for below in cls.__subclasses__():
        if below.__module__.startswith("flow2api."):
            yield from _tree(below)


@cache
def _codes_in_the_code() -> frozenset[str]:
    """Codes that are given where an error is raised."""
    return frozenset(
        code
        for path in (ROOT / "flow2api").rglob("*.py")
        if "simulator" not in path.parts and "cli" not in path.parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for code in _codes_of(node)
    )


def _codes_of(node: ast.AST) -> Iterator[str]:
    candidates: list[ast.expr] = []
    if isinstance(node, ast.Call):
        candidates += [keyword.value for keyword in node.keywords if keyword.arg == "code"]
        if isinstance(node.func, ast.Name) and node.func.id in CALLED_WITH_CODE:
            candidates += node.args[:1]
    elif isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        candidates += [value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "code"]
    for candidate in candidates:
        if isinstance(candidate, ast.Constant) and isinstance(candidate.value, str):
            yield candidate.value


def _routes(folder: Path) -> Iterator[str]:
    """Method and path of every route for programs, once, under the first of its prefixes."""
    extensions = load_extensions()
    settings = load_settings({"FLOW2API_DATA_DIR": str(folder)}, sections=extensions.sections)
    app = create_app(build_services(settings, extensions))
    paths = {route.path for route in app.routes}
    for route in app.routes:
        # The framework's own answer under /schema to what is not there is no route of ours.
        if not isinstance(route, HTTPRoute) or route.path.startswith(("/static", "/schema/{")):
            continue
        modules = {handler.fn.__module__ for handler in route.route_handlers}
        if all(module.startswith(("flow2api.adapters.console.", "litestar.")) for module in modules):
            continue  # pages are for people, who follow their links
        if any(f"{PREFIXES[0]}{route.path.removeprefix(prefix.rstrip('/'))}" in paths for prefix in PREFIXES[1:]):
            continue
        for method in route.methods - {"OPTIONS", "HEAD"}:
            yield f"{method} {re.sub(r':[a-z]+}', '}', route.path)}"
