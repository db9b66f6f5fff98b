"""The files of a new plugin: a package that can be tested and installed as it is, to be changed from there."""

import keyword
import re

from flow2api import __version__
from flow2api.domain.errors import UnsupportedInputError
from flow2api.extensions import BUILT_IN, PROGRAM_SETTINGS, load_extensions

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

_PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "flow2api-@dashed@"
version = "0.1"
description = "A plugin of flow2api"
requires-python = ">=3.11"
dependencies = ["flow2api>=@version@", "msgspec"]

[project.optional-dependencies]
testing = ["flow2api[testing]"]

# The group is flow2api's; the name is the one by which operators enable the plugin.
[project.entry-points.flow2api]
@name@ = "flow2api_@name@"

[tool.hatch.build.targets.wheel]
packages = ["flow2api_@name@"]

[tool.pytest.ini_options]
testpaths = ["tests"]
asyncio_mode = "auto"
asyncio_default_fixture_loop_scope = "function"
"""

_README = """\
# flow2api-@dashed@

A plugin of flow2api. It brings the selection policy `@name@`.

## Test

    python -m pip install --editable ".[testing]"
    python -m pytest

## Use

Install it into the environment of the server, enable it by name, and choose its policy:

    python -m pip install .
    export FLOW2API_PLUGINS=@name@
    export FLOW2API_OPTIONS__POLICY=@name@
    flow2api plugins
    flow2api serve
"""

_MODULE = '''\
"""A plugin of flow2api: the selection policy ``@name@``."""

from collections.abc import Iterable

import msgspec

from flow2api.hookspecs import NamedPolicy, SettingsSection, hookimpl

from flow2api_@name@.policy import @Class@Choice

__version__ = "0.1"

requires_flow2api = ">=@version@"
"""The versions that it works with; with another one it is left out, and the operator is told why."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The section ``[@name@]`` of the settings; in the environment ``FLOW2API_@NAME@__...``.

    Each field is a setting, with its type and its default. What it is for stands in a part ``Attributes:``, and is
    shown by the console.
    """


@hookimpl
def register_selection_policies() -> Iterable[NamedPolicy]:
    """Called once, at the start. What it names is made when an operator has chosen it."""
    return [NamedPolicy("@name@", @Class@Choice, "the account with the most credits, of a few")]


@hookimpl
def register_settings() -> Iterable[SettingsSection]:
    """What the section looks like."""
    return [SettingsSection("@name@", Settings)]
'''

_POLICY = '''\
"""Chooses one account among those that could serve."""

from random import Random

from flow2api.domain.selection import Candidate, Need, ReadySet

SAMPLES = 4
"""There may be a hundred thousand accounts, so only a few are looked at."""


class @Class@Choice:
    """The account with the most credits, of a few that are drawn."""

    def select(self, ready: ReadySet, need: Need, random: Random) -> Candidate:
        """One of the ready ones; called for each request, so it must not wait for anything."""
        return max((ready.sample(random) for _ in range(SAMPLES)), key=credits_of)


def credits_of(candidate: Candidate) -> int:
    """What is left of its credits; 0 when that is not known."""
    return candidate.account.credits or 0
'''

_TEST_PLUGIN = '''\
"""The plugin loads, and brings what it should."""

from flow2api.extensions import PluginState, load_extensions

import flow2api_@name@


def test_plugin_loads_by_its_name() -> None:
    extensions = load_extensions(extra={"@name@": flow2api_@name@})

    (plugin,) = (one for one in extensions.plugins if one.name == "@name@")
    assert (plugin.state, plugin.error) == (PluginState.LOADED, None)
    assert "@name@" in extensions.policies
'''

_TEST_POLICY = '''\
"""The policy, without a server: what every policy promises, and what this one does."""

import pytest
from flow2api.domain.selection import Candidate, SelectionPolicy
from flow2api.testing.contracts import SelectionPolicyContract
from flow2api.testing.factories import AccountFactory
from flow2api.testing.ready import picks, ready_of

from flow2api_@name@.policy import @Class@Choice, credits_of


class Test@Class@Choice(SelectionPolicyContract):
    """Everything that a policy promises; each test of the suite is run here."""

    @pytest.fixture
    def policy(self) -> SelectionPolicy:
        return @Class@Choice()


def with_credits(*credits: int | None) -> list[Candidate]:
    return [Candidate(AccountFactory.build(id=number, credits=left)) for number, left in enumerate(credits, 1)]


def test_rich_account_is_preferred() -> None:
    chosen = picks(@Class@Choice(), ready_of(*with_credits(10, 500)), 200)

    assert chosen.count(2) > chosen.count(1)


def test_account_whose_credits_are_unknown_counts_as_empty() -> None:
    (unknown,) = with_credits(None)

    assert credits_of(unknown) == 0
'''


def files_of(name: str) -> dict[str, str]:
    """The text of each file, by its path in the folder of the package.

    Raises:
        UnsupportedInputError: The name cannot be that of a module, or the program has a plugin, a policy or settings of this
            name.
    """
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise UnsupportedInputError(
            f"{name!r} cannot be the name of a plugin: it has lower-case letters, digits and single underscores, and begins "
            "with a letter.",
            param="name",
        )
    if name in _taken():
        raise UnsupportedInputError(
            f"The name {name!r} is taken by a plugin, a policy or settings of flow2api itself; choose another one.",
            param="name",
        )
    values = {
        "name": name,
        "NAME": name.upper(),
        "dashed": name.replace("_", "-"),
        "Class": "".join(part.capitalize() for part in name.split("_")),
        "version": ".".join(__version__.split(".")[:2]),
    }
    texts = {
        "pyproject.toml": _PYPROJECT,
        "README.md": _README,
        f"flow2api_{name}/__init__.py": _MODULE,
        f"flow2api_{name}/policy.py": _POLICY,
        f"flow2api_{name}/py.typed": "",
        "tests/test_plugin.py": _TEST_PLUGIN,
        "tests/test_policy.py": _TEST_POLICY,
    }
    return {path: re.sub(r"@(\w+)@", lambda found: values[found[1]], text) for path, text in texts.items()}


def _taken() -> set[str]:
    """What the program itself calls its plugins, its policies and the sections of its settings."""
    ours = load_extensions()
    others = {plugin.name for plugin in ours.plugins if not plugin.is_built_in}
    return {*BUILT_IN, *PROGRAM_SETTINGS, *ours.policies, *(ours.sections - others)}
