"""Plugins' settings: checked by what the plugin says of them, and shown without secrets."""

from collections.abc import Iterable
from typing import Annotated

import msgspec
import pytest

from flow2api.domain.errors import ConfigurationError
from flow2api.domain.secret import Secret
from flow2api.extensions import Extensions, PluginState, load_extensions
from flow2api.extensions.sections import checked_section, masked
from flow2api.hookspecs import NamedPolicy, SettingsSection, hookimpl
from flow2api.plugins.policies import FillFirst


class Mine(msgspec.Struct, frozen=True, kw_only=True):
    """A section."""

    token: Secret
    depth: Annotated[int, msgspec.Meta(ge=1)] = 3
    hosts: tuple[str, ...] = ()


MINE = SettingsSection("mine", Mine)


class Plugin:
    """A plugin with settings."""

    @hookimpl
    def register_settings(self) -> Iterable[SettingsSection]:
        return [MINE]

    @hookimpl
    def register_selection_policies(self) -> Iterable[NamedPolicy]:
        return [NamedPolicy("mine", FillFirst)]


def test_section_has_its_types_and_defaults() -> None:
    assert checked_section(MINE, {"token": "t0p", "depth": "7"}) == {"token": Secret("t0p"), "depth": 7, "hosts": ()}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "missing required field `token`"),
        ({"token": "t0p", "depth": "0"}, "Expected `int` >= 1"),
        ({"token": "t0p", "dept": 1}, "no setting 'dept' in the section `mine`; there are token, depth, hosts"),
        ({"token": 5}, "section `mine` is wrong"),
    ],
)
def test_section_that_does_not_fit_is_told_without_its_values(given: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        checked_section(MINE, given)

    assert told in caught.value.message
    assert "t0p" not in caught.value.message


def test_secrets_are_masked() -> None:
    section = checked_section(MINE, {"token": "t0p", "hosts": ["a", "b"]})

    assert masked(section, is_declared=True) == {"token": "***", "depth": 3, "hosts": ["a", "b"]}
    assert masked({"token": "t0p"}, is_declared=False) == {"token": "***"}


def loaded() -> Extensions:
    return load_extensions(extra={"mine": Plugin()})


def test_plugin_whose_section_does_not_fit_is_left_out() -> None:
    found, _ = loaded().checked({"mine": {"depth": 1}})

    (plugin,) = found.left_out
    assert (plugin.name, plugin.state) == ("mine", PluginState.FAILED)
    assert "mine" not in found.policies
    assert "mine" in found.sections


def test_factories_get_the_section_as_it_is_read() -> None:
    found, sections = loaded().checked({"mine": {"token": "t0p"}})

    assert sections["mine"] == {"token": Secret("t0p"), "depth": 3, "hosts": ()}
    (plugin,) = (one for one in found.plugins if one.name == "mine")
    assert found.shown_sections(plugin, sections) == {"mine": {"token": "***", "depth": 3, "hosts": []}}


def test_section_of_a_built_in_plugin_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="section `flow` is wrong"):
        load_extensions().checked({"flow": {"era": "stone"}})


class Row(msgspec.Struct, frozen=True):
    """An item of a list of tables."""

    name: str


class Many(msgspec.Struct, frozen=True, kw_only=True):
    """A section with what a variable has no form for."""

    names: tuple[str, ...] = ()
    numbers: list[int] | None = None
    rows: tuple[Row, ...] = ()
    prices: dict[str, float] = {}
    text: str | list[str] = ""


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        ("names", "a, b,", ("a", "b")),
        ("names", '["a", "b"]', ("a", "b")),
        ("names", " ", ()),
        ("numbers", "1,2", [1, 2]),
        ("rows", '[{"name": "a"}]', (Row("a"),)),
        ("prices", '{"large": 2}', {"large": 2.0}),
        ("text", "a, b", "a, b"),
    ],
)
def test_texts_of_variables_stand_for_lists_and_tables(name: str, text: str, read: object) -> None:
    assert checked_section(SettingsSection("many", Many), {name: text})[name] == read


@pytest.mark.parametrize(("name", "text"), [("rows", "[{"), ("rows", "a"), ("prices", "large"), ("numbers", "a,b")])
def test_text_that_stands_for_no_list_is_told(name: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match="section `many` is wrong"):
        checked_section(SettingsSection("many", Many), {name: text})


def test_tables_in_lists_are_shown_field_by_field() -> None:
    section = checked_section(SettingsSection("many", Many), {"rows": [{"name": "a"}]})
    assert masked(section, is_declared=True)["rows"] == [{"name": "a"}]


@pytest.mark.parametrize("name", ["memory", "log", "sql"])
def test_setting_of_a_built_in_plugin_that_has_none_is_told(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"no setting 'x' in the section `{name}`; there are none"):
        load_extensions().checked({name: {"x": "1"}})
