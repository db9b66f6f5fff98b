"""One plugin at a time: whatever it does is known by its name, and holds nobody up."""

import asyncio
import sys
import threading
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from flow2api import __version__
from flow2api.domain.errors import PluginError
from flow2api.extensions import Extensions, Plugin, PluginState, load_extensions
from flow2api.extensions.loading import registered_or_left_out
from flow2api.extensions.sources import Source
from flow2api.hookspecs import (
    DoctorCheck,
    NamedPolicy,
    SettingsSection,
    StorageFactory,
    hookimpl,
    register_selection_policies,
)
from flow2api.plugins.policies import FillFirst


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
        ("register_storages", StorageFactory("mine", ("My:",), FillFirst), "`schemes` is ('My:',)"),  # type: ignore[arg-type]
        ("register_storages", StorageFactory("mine", (), FillFirst), "`schemes` is ()"),  # type: ignore[arg-type]
        ("register_settings", SettingsSection("mine", dict), "and not a msgspec struct"),  # type: ignore[arg-type]
        ("register_doctor_checks", DoctorCheck(name="mine", look=None), "`look` is None, which cannot be called"),  # type: ignore[arg-type]
        ("register_doctor_checks", DoctorCheck(name="database", look=print), "'flow2api' and 'mine' both register"),  # type: ignore[arg-type]
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
    from flow2api.domain.catalog import Alias

    class Plugin:
        @hookimpl
        def register_models(self) -> list[Alias]:
            return [Alias("nick", {None: "nobody"}), Alias("nick", {None: "somebody"})]

    assert "Its models make no catalog" in loading(Plugin())
