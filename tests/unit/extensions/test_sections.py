"""Plugins' settings: checked by what the plugin says of them, and shown without secrets."""

import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import msgspec
import pytest

from flow2api.domain.errors import ConfigurationError
from flow2api.domain.secret import Secret
from flow2api.extensions import Extensions, Plugin, PluginState, load_extensions
from flow2api.extensions.sections import checked_section, masked, schema_of
from flow2api.hookspecs import NamedPolicy, SettingsSection, hookimpl
from flow2api.plugins.policies import FillFirst


class Mine(msgspec.Struct, frozen=True, kw_only=True):
    """A section."""

    token: Secret
    depth: Annotated[int, msgspec.Meta(ge=1)] = 3
    hosts: tuple[str, ...] = ()
    mood: Literal["good", "bad"] = "good"


MINE = SettingsSection("mine", Mine)


class Described:
    """A plugin with settings."""

    @hookimpl
    def register_settings(self) -> Iterable[SettingsSection]:
        return [MINE]

    @hookimpl
    def register_selection_policies(self) -> Iterable[NamedPolicy]:
        return [NamedPolicy("mine", FillFirst)]


def test_section_has_its_types_and_defaults() -> None:
    assert checked_section(MINE, {"token": "t0p", "depth": "7"}) == {
        "token": Secret("t0p"),
        "depth": 7,
        "hosts": (),
        "mood": "good",
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "missing required field `token`"),
        ({"token": "t0p", "depth": "0"}, "Expected `int` >= 1"),
        ({"token": "t0p", "dept": 1}, "no setting 'dept' in the section `mine`; there are token, depth, hosts, mood"),
        ({"token": 5}, "section `mine` is wrong"),
        ({"token": "t0p", "mood": "t0p"}, "Invalid enum value - at `$.mood`"),
    ],
)
def test_section_that_does_not_fit_is_told_without_its_values(given: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        checked_section(MINE, given)

    assert told in caught.value.message
    assert "t0p" not in caught.value.message


def test_secrets_are_masked() -> None:
    section = checked_section(MINE, {"token": "t0p", "hosts": ["a", "b"]})

    assert masked(section, is_declared=True) == {"token": "***", "depth": 3, "hosts": ["a", "b"], "mood": "good"}
    assert masked({"token": "t0p"}, is_declared=False) == {"token": "***"}


def loaded() -> Extensions:
    return load_extensions(extra={"mine": Described()})


def test_plugin_whose_section_does_not_fit_is_left_out() -> None:
    found, _ = loaded().checked({"mine": {"depth": 1}})

    (plugin,) = found.left_out
    assert (plugin.name, plugin.state) == ("mine", PluginState.FAILED)
    assert "mine" not in found.policies
    assert "mine" in found.sections


def test_factories_get_the_section_as_it_is_read() -> None:
    found, sections = loaded().checked({"mine": {"token": "t0p"}})

    assert sections["mine"] == {"token": Secret("t0p"), "depth": 3, "hosts": (), "mood": "good"}
    (plugin,) = (one for one in found.plugins if one.name == "mine")
    assert found.shown_sections(plugin, sections) == {"mine": {"token": "***", "depth": 3, "hosts": [], "mood": "good"}}


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


def raising(error: BaseException) -> type[msgspec.Struct]:
    class Checking(msgspec.Struct):
        def __post_init__(self) -> None:
            raise error

    return Checking


def hanging() -> type[msgspec.Struct]:
    class Waiting(msgspec.Struct):
        def __post_init__(self) -> None:
            threading.Event().wait()

    return Waiting


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        (raising(RuntimeError("boom")), "It failed while its section `mine` was read: RuntimeError: boom ("),
        (raising(SystemExit(0)), "It failed while its section `mine` was read: SystemExit"),
        (hanging(), "It did not come to an end within 0.05 s while its section `mine` was read."),
    ],
)
def test_section_whose_own_check_fails_or_hangs_leaves_its_plugin_out(schema: type[msgspec.Struct], told: str) -> None:
    plugin = SimpleNamespace(
        register_settings=hookimpl(lambda: [SettingsSection("mine", schema)], specname="register_settings")
    )

    found, _ = load_extensions(extra={"mine": plugin}).checked({"mine": {}}, within_s=0.05)

    assert str(found.left_out[0].error).startswith(told)


def test_section_is_described_for_programs() -> None:
    schema = schema_of(MINE)

    assert schema["required"] == ["token"]
    assert schema["properties"]["token"] == {"type": "string", "format": "password", "writeOnly": True}
    assert schema["properties"]["depth"] == {"type": "integer", "minimum": 1, "default": 3}
    assert schema["properties"]["mood"] == {"enum": ["bad", "good"], "default": "good"}
    assert "$ref" not in schema


def test_described_secret_does_not_show_its_default() -> None:
    class Keyed(msgspec.Struct):
        token: Secret = Secret("t0p")

    assert "t0p" not in str(schema_of(SettingsSection("mine", Keyed)))


def test_sections_of_a_plugin_are_described_when_it_is_loaded_or_they_left_it_out() -> None:
    found, _ = loaded().checked({"mine": {"token": "t0p"}})
    left_out, _ = loaded().checked({"mine": {}})

    assert found.section_schemas(plugin_of(found)) == {"mine": schema_of(MINE)}
    assert left_out.section_schemas(plugin_of(left_out)) == {"mine": schema_of(MINE)}
    assert (left_out.schemas.get("mine"), left_out.described["mine"]) == (None, MINE)
    assert all(
        found.section_schemas(plugin)
        for plugin in found.plugins
        if plugin.is_built_in and "register_settings" in plugin.hooks
    )


def plugin_of(found: Extensions) -> Plugin:
    (plugin,) = (one for one in found.plugins if one.name == "mine")
    return plugin


class Host(msgspec.Struct, rename="kebab"):
    """Where it is."""

    base_url: str
    api_key: Secret | None = Secret("t0p")


class Hosts(msgspec.Struct):
    first: Host | None = None
    others: tuple[Host, ...] = ()
    by_name: dict[str, Annotated[Secret, msgspec.Meta(description="Of each.")]] = msgspec.field(default_factory=dict)


def test_sections_in_sections_are_described_under_the_names_that_operators_write() -> None:
    schema = schema_of(SettingsSection("mine", Hosts))

    host = schema["$defs"]["Host"]
    assert (host["description"], host["required"]) == ("Where it is.", ["base-url"])
    assert {"format": "password", "type": "string", "writeOnly": True} in host["properties"]["api-key"]["anyOf"]
    assert schema["properties"]["by_name"]["additionalProperties"]["format"] == "password"
    assert "t0p" not in str(schema)


def test_docstring_says_what_the_settings_are_for_unless_a_type_does() -> None:
    class Inner(msgspec.Struct):
        """A table.

        Attributes:
            width: How wide
                it is.
        """

        width: int = 1

    class Outer(msgspec.Struct):
        """What it is about.

        It has two paragraphs.

        Attributes:
            depth: Is not told, for the type has its own.
            inner: What is inside: a table.

        Raises:
            ValueError: Never.
        """

        depth: Annotated[int, msgspec.Meta(description="How deep it goes.")] = 1
        inner: Inner | None = None
        bare: str = ""

    schema = schema_of(SettingsSection("outer", Outer))

    assert schema["description"] == "What it is about.\n\nIt has two paragraphs."
    told = {name: field.get("description", "") for name, field in schema["properties"].items()}
    assert told == {"depth": "How deep it goes.", "inner": "What is inside: a table.", "bare": ""}
    assert schema["$defs"]["Inner"]["description"] == "A table."
    assert schema["$defs"]["Inner"]["properties"]["width"]["description"] == "How wide it is."


def built_in_settings() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for declared in load_extensions().schemas.values():
        for name, field in schema_of(declared).get("properties", {}).items():
            yield f"{declared.name}.{name}", field


@pytest.mark.parametrize(("name", "field"), [pytest.param(*one, id=one[0]) for one in built_in_settings()])
def test_every_setting_of_the_program_s_plugins_says_what_it_is_for(name: str, field: Mapping[str, Any]) -> None:
    assert re.fullmatch(r"[A-Z].+\.", field.get("description", ""))
    if name.endswith("_s"):
        assert field["unit"] == "seconds"
    if name.endswith("_mb"):
        assert field["unit"] == "MB"
