"""What hooks return, looked at before anything relies on it."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import cache
from itertools import islice
from typing import Any, get_args, get_type_hints

import click
import msgspec
import pluggy

from flow2api import hookspecs
from flow2api.domain.account import CredentialKind
from flow2api.domain.errors import PluginError
from flow2api.domain.panels import PanelPlace
from flow2api.extensions.sections import schema_of

MOST_ITEMS = 10_000
"""What returns more never ends."""

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_LONGEST_NAME = 64


def hook_names() -> tuple[str, ...]:
    """Every hook that there is."""
    return tuple(name for name in vars(hookspecs) if name.startswith("register_"))


@cache
def item_types(hook: str) -> tuple[type, ...]:
    """What the items have to be that a hook returns, by its own signature."""
    (item,) = get_args(get_type_hints(getattr(hookspecs, hook))["return"])
    return get_args(item) or (item,)


def checked(hook: str, call: Callable[[], Any]) -> tuple[Any, ...]:
    """What a hook returns.

    Raises:
        PluginError: It is not what the hook promises.
        Exception: Whatever the hook raises.
    """
    answer = call()
    if inspect.iscoroutine(answer):
        answer.close()
        raise PluginError(f"{hook} is asynchronous; a hook is called once and returns values.")
    if not isinstance(answer, Iterable) or isinstance(answer, str | bytes | Mapping):
        raise PluginError(f"{hook} returned {_a(answer)} where several {_wanted(hook)} are expected.")
    items = tuple(islice(answer, MOST_ITEMS + 1))
    if len(items) > MOST_ITEMS:
        raise PluginError(f"{hook} returned more than {MOST_ITEMS:,} items.")
    for item in items:
        _check_item(hook, item)
    return items


def _check_item(hook: str, item: Any) -> None:
    kind = next((kind for kind in item_types(hook) if isinstance(item, kind)), None)
    if kind is None:
        raise PluginError(f"{hook} returned {_a(item)} among its items, where {_wanted(hook)} is expected.")
    if isinstance(item, click.Command):
        if not _is_word(item.name):
            raise PluginError(f"{hook} returned a command whose name is {item.name!r:.80}, which is no word.")
        _check_help(hook, item)
    elif kind.__module__ != hookspecs.__name__:
        if not isinstance(item.name, str):  # a catalog says the rest of models
            raise PluginError(
                f"{hook} returned an {kind.__name__} whose `name` is {item.name!r:.80}, which is no name."
            )
    else:
        for field in fields(kind):
            _check_field(f"{hook} returned a {kind.__name__} whose `{field.name}`", field.name, item)


def _check_help(hook: str, command: click.Command) -> None:
    try:
        is_text = isinstance(command.get_short_help_str(), str)
    except Exception as error:
        raise PluginError(
            f"{hook} returned the command {command.name!r}, whose help cannot be shown: {error}."
        ) from error
    if not is_text:
        raise PluginError(f"{hook} returned the command {command.name!r}, whose help is no text.")


def _check_field(what: str, field: str, item: Any) -> None:
    value = getattr(item, field)
    match field:
        case "name" if not _is_name(value):
            raise PluginError(f"{what} is {value!r:.80}, which is no name.")
        case "schemes" if not _are_schemes(value):
            raise PluginError(f"{what} is {value!r:.80}, and not a tuple of URL schemes.")
        case "build" | "look" if not callable(value):
            raise PluginError(f"{what} is {_a(value)}, which cannot be called.")
        case "peek" if not (value is None or callable(value)):
            raise PluginError(f"{what} is {_a(value)}, which cannot be called.")
        case "schema" if not (inspect.isclass(value) and issubclass(value, msgspec.Struct)):
            raise PluginError(f"{what} is {_a(value)}, and not a msgspec struct.")
        case "schema":
            try:
                schema_of(item)
            except (TypeError, NameError, ValueError, RecursionError) as error:
                raise PluginError(f"{what} has a type that no setting can have: {error}.") from error
        case "credential" if not isinstance(value, CredentialKind):
            raise PluginError(f"{what} is {value!r:.80}, and no CredentialKind.")
        case "needs" if not (value is None or isinstance(value, str)):
            raise PluginError(f"{what} is {value!r:.80}, and not the name of a check.")
        case "place" if not isinstance(value, PanelPlace):
            raise PluginError(f"{what} is {value!r:.80}, and no PanelPlace.")
        case "title" if not _is_name(value):
            raise PluginError(f"{what} is {value!r:.80}, which is no title.")
        case "summary" | "section" if not isinstance(value, str):
            raise PluginError(f"{what} is {_a(value)}, and not a text.")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= len(value) <= _LONGEST_NAME


def _is_word(value: object) -> bool:
    return _is_name(value) and not any(char.isspace() for char in str(value))


def _are_schemes(value: object) -> bool:
    return (
        isinstance(value, tuple)
        and bool(value)
        and all(isinstance(one, str) and _SCHEME.fullmatch(one) is not None for one in value)
    )


def _wanted(hook: str) -> str:
    return " or ".join(kind.__name__ for kind in item_types(hook))


def _a(value: object) -> str:
    return "None" if value is None else f"an object of the type {type(value).__name__}"


def implemented(manager: pluggy.PluginManager, plugin: Any) -> tuple[str, ...]:
    """The hooks that a registered plugin implements, in the order of their names."""
    return tuple(sorted(caller.name for caller in manager.get_hookcallers(plugin) or []))
