"""One plugin at a time: whatever it does is known by its name, and holds nobody up."""

import asyncio
import sys
import threading
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import click
import msgspec
import pytest

from flow2api import __version__, hookspecs
from flow2api.domain.catalog import Alias
from flow2api.domain.errors import PluginError
from flow2api.extensions import Extensions, Plugin, PluginState, load_extensions
from flow2api.extensions.loading import registered_or_left_out
from flow2api.extensions.sources import Source
from flow2api.hookspecs import (
    DoctorCheck,
    NamedPolicy,
    ObserverFactory,
    SettingsSection,
    StorageFactory,
    UpstreamFactory,
    hookimpl,
    register_selection_policies,
)
from flow2api.plugins.policies import FillFirst


class Derived(NamedPolicy):
    """An item of a type of the plugin's own."""


class Empty(msgspec.Struct):
    """Without any setting."""


def odd(value: object) -> Any:
    """What no type checker would let through."""
    return value


def named_command(name: Any) -> click.Command:
    command = click.Command("mine")
    command.name = name
    return command


class Unresolved(msgspec.Struct):
    """What it names is nowhere."""

    at: "Nowhere"  # type: ignore[name-defined]  # noqa: F821


class Unread(msgspec.Struct):
    """No text of the environment becomes this."""

    at: threading.Event | None = None


def loading(plugin: Any, within_s: float = 5) -> str:
    """Why it is left out."""
    found: Extensions = load_extensions(extra={"mine": plugin}, within_s=within_s)
    (error,) = (plugin.error for plugin in found.left_out)
    assert error is not None
    assert {"least_busy"} <= found.policies.keys()
    return error


def with_policies(answer: Any) -> Any:
    """A plugin whose hook for policies does this."""

    class Plugin:
        @hookimpl
        def register_selection_policies(self) -> Any:
            return answer() if callable(answer) else answer

    return Plugin()


def raising(error: BaseException) -> Any:
    def answer() -> Any:
        raise error

    return with_policies(answer)


def test_plugin_that_raises_is_told_with_its_line() -> None:
    error = loading(raising(ZeroDivisionError("by\nzero")))

    assert error.startswith("It failed while it was loaded: ZeroDivisionError: by zero (")
    assert "test_loading.py, line " in error


def test_plugins_own_word_for_its_failure_is_kept() -> None:
    assert loading(raising(PluginError("There is no licence for it."))) == "There is no licence for it."


def test_plugin_cannot_end_the_program() -> None:
    assert "SystemExit" in loading(raising(SystemExit(0)))


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit()])
def test_what_a_plugin_raises_is_not_taken_for_what_the_operator_does(error: BaseException) -> None:
    assert type(error).__name__ in loading(raising(error))


def test_error_without_a_text_is_told_by_its_name() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert loading(raising(MuteError())).startswith("It failed while it was loaded: MuteError (")


def test_what_a_plugin_says_is_one_line_of_bounded_length_without_secrets() -> None:
    error = loading(raising(PluginError("It was\n\x1b[31mrefused: f2a_" + "k" * 30 + "." + "x" * 5000)))

    assert error.startswith("It was [31mrefused: ***")
    assert len(error) <= 500
    assert error.isprintable()


def test_version_is_one_line() -> None:
    plugin = with_policies([NamedPolicy("mine", FillFirst)])
    plugin.__version__ = "1\n2" * 100

    (found,) = (one for one in load_extensions(extra={"mine": plugin}).plugins if one.name == "mine")

    assert str(found.version).startswith("1 21 2")
    assert len(str(found.version)) <= 64


def test_plugin_that_hangs_is_given_up() -> None:
    ended = threading.Event()
    try:
        assert loading(with_policies(ended.wait), within_s=0.05) == (
            "It did not come to an end within 0.05 s while it was loaded."
        )
    finally:
        ended.set()


def test_what_a_plugin_prints_does_not_end_in_what_a_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    def answer() -> list[NamedPolicy]:
        print("good morning")
        return [NamedPolicy("mine", FillFirst)]

    assert load_extensions(extra={"mine": with_policies(answer)}).left_out == ()

    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "good morning\n")
    assert sys.stdout is not sys.stderr


def test_misspelt_hook_is_told_with_the_nearest() -> None:
    @hookimpl
    def register_selection_policys() -> list[NamedPolicy]:
        return []

    assert loading(SimpleNamespace(register_selection_policys=register_selection_policys)) == (
        f"It implements register_selection_policys, which is no hook of flow2api {__version__}. "
        "Did you mean register_selection_policies?"
    )


def test_hook_with_arguments_is_told() -> None:
    class Plugin:
        @hookimpl
        def register_selection_policies(self, app: object) -> list[NamedPolicy]:
            return []

    assert "wrong signature" in loading(Plugin())


def test_asynchronous_hook_is_told() -> None:
    async def answer() -> list[NamedPolicy]:
        await asyncio.sleep(0)
        return []

    assert "register_selection_policies is asynchronous" in loading(with_policies(answer))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "returned None where several NamedPolicy are expected"),
        ("least_busy", "returned an object of the type str where several"),
        ([1], "returned an object of the type int among its items"),
        ([NamedPolicy("", FillFirst)], "`name` is '', which is no name"),
        ([NamedPolicy(7, FillFirst)], "`name` is 7, which is no name"),  # type: ignore[arg-type]
        ([NamedPolicy("mine\n", FillFirst)], "`name` is 'mine\\n', which is no name"),
        ([Derived(["mine"], FillFirst)], "`name` is ['mine'], which is no name"),  # type: ignore[arg-type]
        ([NamedPolicy("mine", "FillFirst")], "`build` is an object of the type str, which cannot be called"),  # type: ignore[arg-type]
        ([NamedPolicy("mine", FillFirst, None)], "`summary` is None, and not a text"),  # type: ignore[arg-type]
        (lambda: iter(lambda: NamedPolicy("mine", FillFirst), None), "returned more than 10,000 items"),
    ],
)
def test_garbage_is_told(answer: Any, told: str) -> None:
    assert told in loading(with_policies(answer))


@pytest.mark.parametrize(
    ("hook", "item", "told"),
    [
        ("register_storages", StorageFactory("mine", ("My:",), odd(FillFirst)), "`schemes` is ('My:',)"),
        (
            "register_storages",
            StorageFactory("mine", ("mine",), odd(FillFirst), odd(7)),
            "`peek` is an object of the type int, which cannot be called",
        ),
        ("register_storages", StorageFactory("mine", (), odd(FillFirst)), "`schemes` is ()"),
        ("register_settings", SettingsSection("mine", odd(dict)), "and not a msgspec struct"),
        (
            "register_settings",
            SettingsSection("mine", Unresolved),
            "has a type that no setting can have: name 'Nowhere'",
        ),
        ("register_settings", SettingsSection("mine", Unread), "has a type that no setting can have"),
        ("register_settings", SettingsSection("host", Empty), "'flow2api' and 'mine' both register the section 'host'"),
        (
            "register_settings",
            SettingsSection("openai", Empty),
            "'upstream_openai' and 'mine' both register the section 'openai'",
        ),
        (
            "register_observers",
            ObserverFactory("flow", odd(print)),
            "'upstream_flow' and 'mine' both use the section 'flow'",
        ),
        (
            "register_upstreams",
            UpstreamFactory("mine", odd(print), odd("api_key")),
            "`credential` is 'api_key', and no CredentialKind",
        ),
        ("register_doctor_checks", DoctorCheck(name="mine", look=odd(print), needs=odd(7)), "`needs` is 7"),
        (
            "register_models",
            Alias(odd(["mine"]), {None: "veo"}),
            "returned an Alias whose `name` is ['mine'], which is no name",
        ),
        ("register_cli_commands", named_command(7), "returned a command whose name is 7"),
        (
            "register_cli_commands",
            click.Command("mine", help=odd(7)),
            "returned the command 'mine', whose help cannot be shown",
        ),
        ("register_cli_commands", named_command("two words"), "returned a command whose name is 'two words'"),
        ("register_doctor_checks", DoctorCheck(name="mine", look=odd(None)), "`look` is None, which cannot be called"),
        (
            "register_doctor_checks",
            DoctorCheck(name="database", look=odd(print)),
            "'flow2api' and 'mine' both register",
        ),
    ],
)
def test_garbage_of_other_hooks_is_told(hook: str, item: Any, told: str) -> None:
    plugin = SimpleNamespace(**{hook: hookimpl(lambda: [item], specname=hook)})

    assert told in loading(plugin)


def test_plugin_without_hooks_is_told_how_they_are_marked() -> None:
    class Plugin:
        def register_selection_policies(self) -> Iterable[NamedPolicy]:
            return []

    assert "flow2api.hookspecs.hookimpl" in loading(Plugin())
    assert register_selection_policies.__doc__


def test_hook_that_was_not_marked_beside_others_that_were_is_told() -> None:
    class Plugin:
        @hookimpl
        def register_selection_policies(self) -> Iterable[NamedPolicy]:
            return []

        def register_upstreams(self) -> Iterable[object]:
            return []

    assert loading(Plugin()) == "Its register_upstreams is not marked with flow2api.hookspecs.hookimpl."


def test_module_that_imports_the_specifications_is_no_worse_for_it() -> None:
    plugin = with_policies([NamedPolicy("mine", FillFirst)])
    plugin.register_upstreams = hookspecs.register_upstreams

    assert "mine" in load_extensions(extra={"mine": plugin}).policies


def test_class_whose_hooks_are_methods_is_told_to_be_an_object() -> None:
    class Plugin:
        @hookimpl
        def register_selection_policies(self) -> Iterable[NamedPolicy]:
            return []

    assert "name an object of the class Plugin" in loading(Plugin)


def test_class_whose_hooks_need_no_object_is_a_plugin() -> None:
    class Plugin:
        @staticmethod
        @hookimpl
        def register_selection_policies() -> Iterable[NamedPolicy]:
            return [NamedPolicy("mine", FillFirst)]

    assert "mine" in load_extensions(extra={"mine": Plugin}).policies


def test_hook_that_is_implemented_twice_is_told() -> None:
    one, other = (hookimpl(lambda: list[Alias](), specname="register_models") for _ in range(2))

    assert loading(SimpleNamespace(one=one, other=other)) == "It implements register_models more than once."


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (">=99", f"It needs flow2api >=99, and this is flow2api {__version__}."),
        ("newest", "in a way that cannot be read: 'newest' is no comparison such as >=0.2."),
    ],
)
def test_plugin_for_another_version_is_told_with_both(wanted: str, told: str) -> None:
    plugin = with_policies([NamedPolicy("mine", FillFirst)])
    plugin.requires_flow2api = wanted

    assert loading(plugin) == told or told in loading(plugin)


@pytest.mark.parametrize(("wants", "state"), [(">=99", PluginState.FAILED), ("==0.*", PluginState.LOADED)])
def test_what_its_package_requires_counts_as_far_as_it_can_be_read(wants: str, state: PluginState) -> None:
    plugin = with_policies([NamedPolicy("mine", FillFirst)])
    about = Plugin(name="mine", source="package mine", version="1.0", state=PluginState.NOT_ENABLED)

    assert registered_or_left_out(Source(about, lambda: plugin, wants)).plugin.state is state


def test_plugin_for_this_version_is_loaded() -> None:
    plugin = with_policies([NamedPolicy("mine", FillFirst)])
    plugin.requires_flow2api = f">={__version__}"

    assert "mine" in load_extensions(extra={"mine": plugin}).policies


def test_models_that_make_no_catalog_are_told() -> None:
    class Plugin:
        @hookimpl
        def register_models(self) -> list[Alias]:
            return [Alias("nick", {None: "nobody"}), Alias("nick", {None: "somebody"})]

    assert "Its models make no catalog" in loading(Plugin())
