"""What pages show can be typed: settings are known, commands and their options exist, code parses."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import msgspec
import pytest

from flow2api.cli import cli
from flow2api.domain.options import Options
from flow2api.extensions import load_extensions
from flow2api.plugins.media_disk import DiskSettings
from flow2api.plugins.upstream_flow import FlowSettings
from flow2api.plugins.upstream_gemini import GeminiSettings
from flow2api.plugins.upstream_openai import OpenAiSettings
from flow2api.settings import PREFIX, Settings, load_settings
from tests.docs.pages import DOCS, PAGES, ROOT, Block, blocks

EXAMPLES = [(page, block) for page in PAGES for block in blocks(page)]
PLACEHOLDER = "mine"
"""The name that pages use for somebody's own plugin."""


def of_language(language: str) -> list[object]:
    found = [(page, block) for page, block in EXAMPLES if block.language == language]
    return [pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}") for number, (page, block) in enumerate(found)]


@pytest.mark.parametrize("block", of_language("python"))
def test_python_parses(block: Block) -> None:
    compile(block.text, "example", "exec")


@pytest.mark.parametrize("block", of_language("json"))
def test_json_parses(block: Block) -> None:
    assert json.loads(block.text)


@pytest.mark.parametrize("block", of_language("toml"))
def test_settings_files_are_taken(block: Block) -> None:
    if block.file is None:
        extensions = load_extensions()
        assert load_settings({}, block.text, sections={*extensions.sections, PLACEHOLDER}) != Settings()


def test_variables_are_known() -> None:
    known = {field.name for field in fields(Settings)} | {"config"}
    known |= {f"flow__{field.name}" for field in msgspec.structs.fields(FlowSettings)}
    known |= {f"gemini__{field.name}" for field in msgspec.structs.fields(GeminiSettings)}
    known |= {f"disk__{field.name}" for field in msgspec.structs.fields(DiskSettings)}
    known |= {f"openai__{field.name}" for field in msgspec.structs.fields(OpenAiSettings)}
    known |= {f"options__{field.name}" for field in fields(Options)}
    unknown = [
        f"{page.relative_to(ROOT)}: {variable}"
        for page in PAGES
        for variable in re.findall(rf"\b{PREFIX}[A-Z0-9_]+", page.read_text("utf-8"))
        if variable.removeprefix(PREFIX).lower() not in known and not _is_pattern(variable)
    ]
    assert unknown == []


def test_commands_and_options_exist() -> None:
    wrong = [f"{page.relative_to(ROOT)}: {line}" for page, line in _commands() if not _exists(shlex.split(line)[1:])]
    assert wrong == []


def test_checker_sees_commands_that_do_not_exist() -> None:
    assert not _exists(["tokens", "list"])
    assert not _exists(["keys", "create", "--called", "me"])
    assert _exists(["keys", "create", "--name", "me"])


def _is_pattern(variable: str) -> bool:
    """Whether it stands for many, as in ``FLOW2API_OPTIONS__…``."""
    return variable in (PREFIX, f"{PREFIX}OPTIONS__") or variable.startswith(f"{PREFIX}{PLACEHOLDER.upper()}__")


def _commands() -> Iterator[tuple[Path, str]]:
    """Every call of the program, from blocks and from the text."""
    for page in PAGES:
        if page.is_relative_to(DOCS / "reference") or page.is_relative_to(DOCS / "adr"):
            continue
        for block in blocks(page):
            if block.language == "sh":
                for call in re.findall(r"(?:^|[|(]\s*|/)(flow2api [a-z][^|)\n]*)", block.text, re.MULTILINE):
                    yield page, call
        for call in re.findall(r"`(flow2api [a-z][^`]*)`", page.read_text("utf-8")):
            yield page, call


def _exists(words: list[str]) -> bool:
    command: click.Command = cli
    rest = list(words)
    while isinstance(command, click.Group):
        if command.invoke_without_command and (not rest or rest[0].startswith("--")):
            break
        found = command.get_command(click.Context(command), rest.pop(0)) if rest else None
        if found is None:
            return False
        command = found
    if command.name == "simulate":
        return True
    known = {spelling for one in command.params for spelling in (*one.opts, *one.secondary_opts)}
    return all(word.partition("=")[0] in known for word in rest if word.startswith("--"))
