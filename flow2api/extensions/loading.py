"""Loads one plugin, so that whatever it does is known by its name and holds nobody up."""

import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, TypeVar

import pluggy

from flow2api import __version__
from flow2api.domain.errors import PluginError
from flow2api.extensions.answers import checked, hook_names, implemented
from flow2api.extensions.hook_manager import HookManager
from flow2api.extensions.plugin import PluginState, Registered
from flow2api.extensions.sources import Source
from flow2api.extensions.versions import fits

LOADING_S = 10.0
"""A plugin that has not registered within this is left out."""

_LONGEST_REASON = 400

T = TypeVar("T")


def registered(source: Source) -> Registered:
    """The plugin, loaded, each of its hooks called once.

    Raises:
        PluginError: It wants another version, implements what is no hook, or returned what is not promised.
        BaseException: Whatever its code raises.
    """
    with suppress(ValueError):  # what an installer understands is more than we do, and it has looked, too
        _check_version(source.wants)
    plugin = source.load()
    try:
        _check_version(str(getattr(plugin, "requires_flow2api", "")))
    except ValueError as error:
        raise PluginError(f"It says which flow2api it needs in a way that cannot be read: {error}.") from error
    manager = HookManager()
    try:
        manager.register(plugin, name=source.about.name)
    except pluggy.PluginValidationError as error:
        raise PluginError(f"One of its hooks has a wrong signature: {' '.join(str(error).split())}.") from error
    hooks = implemented(manager, plugin)
    _check_hooks(hooks)
    items = {hook: checked(hook, _calling(manager, hook)) for hook in hooks}
    version = source.about.version or getattr(plugin, "__version__", None)
    about = replace(
        source.about,
        hooks=hooks,
        version=__version__ if source.about.is_built_in else None if version is None else str(version),
        state=PluginState.LOADED,
    )
    return Registered(about, items)


def registered_or_left_out(source: Source, *, within_s: float = LOADING_S) -> Registered:
    """The same in a thread of its own, which is given up when it takes too long; never raises."""
    left_out = Registered(source.about, {}).left_out
    try:
        with redirect_stdout(sys.stderr):  # what a plugin prints must not end in what a command prints
            return _within(within_s, lambda: registered(source))
    except TimeoutError:
        return left_out(f"It did not come to an end within {within_s:g} s while it was loaded.")
    except PluginError as error:
        return left_out(error.message)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a plugin may raise anything, and may even try to exit
        return left_out(f"It failed while it was loaded: {_told(error)}")


def _within(seconds: float, call: Callable[[], T]) -> T:
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001 - handed on to whoever waits
            errors.append(error)

    # A daemon: one that hangs must not keep the program from ending.
    thread = threading.Thread(target=run, name="plugin loading", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError
    return results[0]


def _calling(manager: pluggy.PluginManager, hook: str) -> Callable[[], Any]:
    def call() -> Any:
        (answer,) = getattr(manager.hook, hook)() or [None]
        return answer

    return call


def _check_version(wanted: str) -> None:
    if not fits(__version__, wanted):
        raise PluginError(f"It needs flow2api {wanted}, and this is flow2api {__version__}.")


def _check_hooks(hooks: tuple[str, ...]) -> None:
    known = hook_names()
    for hook in hooks:
        if hook not in known:
            near = get_close_matches(hook, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise PluginError(f"It implements {hook}, which is no hook of flow2api {__version__}.{hint}")
    if not hooks:
        raise PluginError("It registers nothing. Its functions have to be marked with flow2api.hookspecs.hookimpl.")


def _told(error: BaseException) -> str:
    """The error in one line, with the place in the plugin's code."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    text = " ".join(str(error).split())[:_LONGEST_REASON]
    return f"{type(error).__name__}{f': {text}' if text else ''}{place}."
