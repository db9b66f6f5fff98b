"""Which plugins are loaded, in which order, and what becomes of those that cannot be."""

from collections.abc import Iterable
from importlib.metadata import Distribution, EntryPoint, EntryPoints
from pathlib import Path

import pytest

from flow2api.extensions import BUILT_IN, Extensions, Plugin, PluginState, enabled_plugins, load_extensions, sources
from flow2api.hookspecs import NamedPolicy, hookimpl
from flow2api.plugins.policies import FillFirst

PLUGIN = """
from flow2api.hookspecs import NamedPolicy, hookimpl
from flow2api.plugins.policies import FillFirst

__version__ = "1.2"

@hookimpl
def register_selection_policies():
    return [NamedPolicy("{policy}", FillFirst, "Does as it likes.")]
"""


class Policies:
    """A plugin with some policies."""

    def __init__(self, *names: str) -> None:
        self._names = names

    @hookimpl
    def register_selection_policies(self) -> Iterable[NamedPolicy]:
        return [NamedPolicy(name, FillFirst, "Does as it likes.") for name in self._names]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with plugins that are single files."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(PLUGIN.format(policy=f"policy_of_{name}"))
    for path in (tmp_path, *tmp_path.iterdir()):
        path.chmod(0o700)
    return tmp_path


def installed(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    """Let these plugins be installed beside the built-in ones."""
    points = [EntryPoint(name, value, "flow2api") for name, value in values.items()]
    monkeypatch.setattr(sources, "entry_points", lambda group: EntryPoints(points).select(group=group))


def plugin_of(found: Extensions, name: str) -> Plugin:
    (plugin,) = (plugin for plugin in found.plugins if plugin.name == name)
    return plugin


def test_built_in_plugins_come_first_and_bring_what_a_server_needs() -> None:
    found = load_extensions()

    assert [plugin.name for plugin in found.plugins][: len(BUILT_IN)] == list(BUILT_IN)
    assert {"sqlite"} <= found.storages.keys()
    assert {"file"} <= found.media_stores.keys()
    assert {"memory"} <= found.coordinations.keys()
    assert {"flow", "gemini", "openai"} <= found.upstreams.keys()
    assert {"least_busy"} <= found.policies.keys()
    assert {"standard"} <= found.profiles.keys()
    assert {"simulate"} <= found.commands.keys()
    assert {"flow", "gemini", "disk"} <= found.schemas.keys() <= found.sections
    assert "openai" in found.sections
    assert {plugin for plugin, _ in found.models} == {"models_flow", "models_gemini", "models_openai"}
    assert found.left_out == ()


def test_plugin_of_an_embedding_program_is_listed_with_its_hooks() -> None:
    found = load_extensions(extra={"mine": Policies("mine.first")})

    assert found.policies["mine.first"].build().__class__ is FillFirst
    assert plugin_of(found, "mine").hooks == ("register_selection_policies",)


def test_plugin_of_an_embedding_program_takes_the_place_of_others(folder: Path) -> None:
    found = load_extensions(["one"], {"one": Policies("mine.first")}, folder=folder)

    assert plugin_of(found, "one").source == "embedding program"
    assert "policy_of_one" not in found.policies


def test_nothing_is_loaded_that_is_not_enabled(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    installed(monkeypatch, package="flow2api.nowhere")

    found = load_extensions(folder=folder)

    assert {plugin.name for plugin in found.plugins if plugin.state is PluginState.NOT_ENABLED} == {
        "one",
        "two",
        "package",
    }
    assert "policy_of_one" not in found.policies
    assert found.left_out == ()


def test_enabled_plugins_are_loaded_in_the_order_of_their_names(folder: Path) -> None:
    found = load_extensions(["two", "policies", "one"], folder=folder)

    assert [plugin.name for plugin in found.plugins][len(BUILT_IN) :] == ["two", "one"]
    assert {"policy_of_one", "policy_of_two"} <= found.policies.keys()


def test_single_file_tells_version_and_hash(folder: Path) -> None:
    plugin = plugin_of(load_extensions(["one"], folder=folder), "one")

    assert (plugin.version, plugin.state) == ("1.2", PluginState.LOADED)
    assert plugin.source == f"file {folder / 'one.py'}"
    assert plugin.sha256 is not None
    assert len(plugin.sha256) == 64


def test_installed_plugin_is_loaded_from_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, mine="flow2api.plugins.proxy_selectors")

    plugin = plugin_of(load_extensions(["mine"]), "mine")

    # It is another plugin's module, so what it brings is taken: enough to see that it was loaded.
    assert plugin.error == ("The plugins 'proxy_selectors' and 'mine' both register 'rendezvous'; disable one of them.")


def test_name_that_two_register_leaves_out_the_later_one_with_both_names() -> None:
    found = load_extensions(extra={"mine": Policies("new", "least_busy")})

    assert plugin_of(found, "mine").error == (
        "The plugins 'policies' and 'mine' both register 'least_busy'; disable one of them."
    )
    assert "new" not in found.policies
    assert found.policies["least_busy"].build().__class__.__name__ == "LeastBusy"


def test_name_that_one_registers_twice_is_told_too() -> None:
    found = load_extensions(extra={"mine": Policies("twice", "twice")})

    assert "'mine' and 'mine' both register 'twice'" in str(plugin_of(found, "mine").error)


def test_plugin_that_is_nowhere_is_told_with_the_nearest_name(folder: Path) -> None:
    error = plugin_of(load_extensions(["ones"], folder=folder), "ones").error

    assert error is not None
    assert "neither an installed package nor a file" in error
    assert "Did you mean 'one'?" in error


def test_folder_that_is_missing_is_told_by_the_plugin_that_is_wanted_from_it(tmp_path: Path) -> None:
    found = load_extensions(["one"], folder=tmp_path / "nowhere")

    assert "which is no folder" in str(plugin_of(found, "one").error)
    assert load_extensions(folder=tmp_path / "nowhere").left_out == ()


def test_plugin_that_cannot_be_imported_is_left_out_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, gone="flow2api.nowhere:plugin")

    plugin = plugin_of(load_extensions(["gone"]), "gone")

    assert plugin.state is PluginState.FAILED
    assert plugin.source == "package (flow2api.nowhere:plugin)"
    assert "No module named 'flow2api.nowhere'" in str(plugin.error)


def test_two_plugins_of_one_name_are_both_left_out(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    installed(monkeypatch, one="flow2api.plugins.policies")

    error = str(plugin_of(load_extensions(["one"], folder=folder), "one").error)

    assert "package (flow2api.plugins.policies)" in error
    assert f"file {folder / 'one.py'}" in error


def test_name_of_a_built_in_plugin_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, policies="flow2api.nowhere")

    found = load_extensions(["policies"])

    assert "has the name of the built-in plugin 'policies'" in str(found.left_out[0].error)
    assert {"least_busy"} <= found.policies.keys()
    assert found.extended([]) == found


def test_more_plugins_can_come_later_and_built_in_hooks_are_not_asked_again(folder: Path) -> None:
    first = load_extensions(["one"], folder=folder)

    more = first.extended(one for one in enabled_plugins(["two"], folder=folder) if one.plugin.name == "two")

    assert {"policy_of_one", "policy_of_two"} <= more.policies.keys()
    assert plugin_of(more, "two").state is PluginState.LOADED
    assert more.policies["random"] is first.policies["random"]


@pytest.mark.parametrize("value", ["", "!!!", "two words:c", "flow2api.nowhere:"])
def test_entry_point_that_names_nothing_fails_alone_and_only_when_it_is_enabled(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    installed(monkeypatch, odd=value, mine="flow2api.plugins.proxy_selectors")

    assert plugin_of(load_extensions(), "odd").state is PluginState.NOT_ENABLED
    assert plugin_of(load_extensions(["odd"]), "odd").error == (
        f"Its entry point {value!r} names no module and no object of one, as in package.module:plugin."
    )


def test_installed_packages_that_cannot_be_looked_through_take_down_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def entry_points(group: str) -> EntryPoints:
        raise ValueError("no entry")

    monkeypatch.setattr(sources, "entry_points", entry_points)

    assert load_extensions().left_out == ()
    assert "cannot be looked through: ValueError" in str(plugin_of(load_extensions(["mine"]), "mine").error)


def test_package_that_lost_its_description_is_told_by_its_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    class Bare(Distribution):
        def read_text(self, filename: str) -> str | None:
            return None

        def locate_file(self, path: object) -> Path:
            return Path()

    point = EntryPoint("bare", "flow2api.plugins.policies", "flow2api")
    vars(point).update(dist=Bare())
    monkeypatch.setattr(sources, "entry_points", lambda group: EntryPoints([point]))

    bare = plugin_of(load_extensions(), "bare")

    assert (bare.source, bare.version) == ("package (flow2api.plugins.policies)", None)
