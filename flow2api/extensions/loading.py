"""Loads one plugin, so that whatever it does is known by its name and holds nobody up."""

import inspect
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import pluggy

from flow2api import __version__, hookspecs
from flow2api.domain.errors import PluginError
from flow2api.extensions.answers import checked, hook_names, implemented
from flow2api.extensions.hook_manager import HookManager
from flow2api.extensions.isolation import LOADING_S, TookTooLongError, in_one_line, told, within
from flow2api.extensions.plugin import PluginState, Registered
from flow2api.extensions.sources import Source
from flow2api.extensions.versions import fits

_LONGEST_VERSION = 64


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
    _check_marks(plugin, hooks)
    items = {hook: checked(hook, _calling(manager, hook)) for hook in hooks}
    version = source.about.version or getattr(plugin, "__version__", None)
    about = replace(
        source.about,
        hooks=hooks,
        version=__version__ if source.about.is_built_in else _version(version),
        state=PluginState.LOADED,
    )
    return Registered(about, items)


def registered_or_left_out(source: Source, *, within_s: float = LOADING_S) -> Registered:
    """The same in a thread of its own, which is given up when it takes too long; never raises."""
    left_out = Registered(source.about, {}).left_out

    def load() -> Registered:
        try:
            return registered(source)
        except PluginError as error:
            return left_out(in_one_line(str(error)))
        except BaseException as error:  # noqa: BLE001 - a plugin may raise anything, and may even try to exit
            return left_out(f"It failed while it was loaded: {told(error)}")

    try:
        return within(within_s, load)
    except TookTooLongError:
        return left_out(f"It did not come to an end within {within_s:g} s while it was loaded.")


def _calling(manager: pluggy.PluginManager, hook: str) -> Callable[[], Any]:
    def call() -> Any:
        caller: pluggy.HookCaller = getattr(manager.hook, hook)
        if len(caller.get_hookimpls()) > 1:
            raise PluginError(f"It implements {hook} more than once.")
        answers = caller()
        if isinstance(answers, list):  # one for each implementation that has not returned None
            return answers[0] if answers else None
        return answers

    return call


def _check_version(wanted: str) -> None:
    if not fits(__version__, wanted):
        raise PluginError(f"It needs flow2api {wanted}, and this is flow2api {__version__}.")


def _version(version: object) -> str | None:
    return None if version is None else in_one_line(str(version), _LONGEST_VERSION)


def _check_marks(plugin: object, hooks: tuple[str, ...]) -> None:
    """What looks like a hook is one, and can be called."""
    for hook in hook_names():
        own = getattr(plugin, hook, None)
        is_specification = own is getattr(hookspecs, hook)  # of a module that imports everything from there
        if hook not in hooks and callable(own) and not is_specification:
            raise PluginError(f"Its {hook} is not marked with flow2api.hookspecs.hookimpl.")
    for hook in hooks if inspect.isclass(plugin) else ():
        if "self" in inspect.signature(getattr(plugin, hook, list)).parameters:
            raise PluginError(f"Its hooks are methods; name an object of the class {plugin.__name__} as the plugin.")  # type: ignore[attr-defined]


def _check_hooks(hooks: tuple[str, ...]) -> None:
    known = hook_names()
    for hook in hooks:
        if hook not in known:
            near = get_close_matches(hook, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise PluginError(f"It implements {hook}, which is no hook of flow2api {__version__}.{hint}")
    if not hooks:
        raise PluginError("It registers nothing. Its functions have to be marked with flow2api.hookspecs.hookimpl.")
