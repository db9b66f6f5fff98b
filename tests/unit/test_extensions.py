"""Plugins: each is asked alone, and whose fault it is when two collide, one fails or one cannot be loaded."""

from collections.abc import Iterable
from importlib.metadata import EntryPoint, EntryPoints
from types import SimpleNamespace
from typing import Any

import pytest

from flow2api import extensions
from flow2api.domain.errors import PluginError
from flow2api.extensions import BUILT_IN, load_extensions
from flow2api.hookspecs import NamedPolicy, hookimpl
from flow2api.plugins.policies import FillFirst


class Policies:
    """A plugin with one policy."""

    def __init__(self, *names: str) -> None:
        self._names = names

    @hookimpl
    def register_selection_policies(self) -> Iterable[NamedPolicy]:
        return [NamedPolicy(name, FillFirst, "Does as it likes.") for name in self._names]


def installed(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """Let these plugins be installed beside the built-in ones."""
    points = [EntryPoint(name, value, "flow2api") for name, value in values.items()]
    monkeypatch.setattr(extensions, "entry_points", lambda group: EntryPoints(points).select(group=group))


def test_built_in_plugins_come_first_and_bring_what_a_server_needs() -> None:
    found = load_extensions()
    assert [plugin.name for plugin in found.plugins][: len(BUILT_IN)] == list(BUILT_IN)
    assert {"sqlite"} <= found.storages.keys()
    assert {"file"} <= found.media_stores.keys()
    assert {"memory"} <= found.coordinations.keys()
    assert {"flow", "gemini", "openai"} <= found.upstreams.keys()
    assert {"least_busy"} <= found.policies.keys()
    assert {"flow", "gemini", "openai", "disk", "sql"} <= found.sections
    assert {plugin for plugin, _ in found.models} == {"models_flow", "models_gemini", "models_openai"}


def test_plugin_of_an_embedding_program_is_listed_with_its_hooks() -> None:
    found = load_extensions(extra={"mine": Policies("mine.first")})
    assert found.policies["mine.first"].build().__class__ is FillFirst
    (mine,) = [plugin for plugin in found.plugins if plugin.name == "mine"]
    assert mine.hooks == ("register_selection_policies",)


def test_name_that_two_register_is_told_with_both() -> None:
    with pytest.raises(PluginError, match="'policies' and 'mine' both register 'least_busy'"):
        load_extensions(extra={"mine": Policies("least_busy")})


def test_name_that_one_registers_twice_is_told_too() -> None:
    with pytest.raises(PluginError, match="'mine' and 'mine' both register 'twice'"):
        load_extensions(extra={"mine": Policies("twice", "twice")})


def test_hook_that_does_not_exist_is_told_with_its_plugin() -> None:
    @hookimpl
    def register_policies() -> list[NamedPolicy]:
        return []

    with pytest.raises(PluginError, match="'misspelt' implements a hook that does not exist"):
        load_extensions(extra={"misspelt": SimpleNamespace(register_policies=register_policies)})


def test_plugin_that_fails_in_a_hook_is_named() -> None:
    class Broken:
        @hookimpl
        def register_selection_policies(self) -> Iterable[NamedPolicy]:
            raise ZeroDivisionError

    with pytest.raises(PluginError, match=r"'broken' failed in register_selection_policies: ZeroDivisionError"):
        load_extensions(extra={"broken": Broken()})


def test_plugins_own_word_for_its_failure_is_kept() -> None:
    class Honest:
        @hookimpl
        def register_selection_policies(self) -> Iterable[NamedPolicy]:
            raise PluginError("There is no licence for it.")

    with pytest.raises(PluginError, match=r"^There is no licence for it\.$"):
        load_extensions(extra={"honest": Honest()})


def test_installed_plugins_are_all_loaded_unless_some_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # Any module without hooks will do: what is loaded is what counts.
    installed(monkeypatch, one="json", two="html")
    assert names(load_extensions()) >= {"one", "two"}
    assert names(load_extensions(["two"])) & {"one", "two"} == {"two"}
    assert names(load_extensions(["policies"])) & {"one", "two"} == set()


def names(found: Any) -> set[str]:
    return {plugin.name for plugin in found.plugins}


def test_plugin_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch)
    with pytest.raises(PluginError, match="'nobody', which is not installed"):
        load_extensions(["nobody"])


def test_plugin_that_cannot_be_imported_is_told_with_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, gone="flow2api.nowhere:plugin")
    with pytest.raises(PluginError, match=r"'gone' \(flow2api\.nowhere:plugin\) cannot be loaded"):
        load_extensions()
