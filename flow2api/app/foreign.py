"""Makes what plugins of others have registered, so that it can neither hang nor end the program, nor be something else."""

import inspect
from collections.abc import Callable
from typing import TypeVar

from flow2api.domain.errors import Flow2ApiError, PluginError
from flow2api.extensions import LOADING_S, TookTooLongError, told, within

T = TypeVar("T")


def made(plugin: str | None, kind: type, build: Callable[[], T]) -> T:
    """What a factory makes.

    Args:
        plugin: Whose factory it is; None for the program itself, and for one that embeds it, which are trusted.
        kind: The protocol that it has to fit.

    Raises:
        Flow2ApiError: The plugin's own word for its failure.
        PluginError: It raised something else, took too long, or made something that does not fit.
    """
    if plugin is None:
        return build()
    try:
        thing = within(LOADING_S, build)
    except Flow2ApiError:
        raise
    except TookTooLongError:
        raise PluginError(f"It did not come to an end within {LOADING_S:g} s while it was made.") from None
    except (Exception, SystemExit) as error:
        raise PluginError(f"It failed while it was made: {told(error)}") from error
    missing = sorted(name for name in _members(kind) if not hasattr(thing, name))
    if missing:
        raise PluginError(f"It made an object of the type {type(thing).__name__}, which lacks {', '.join(missing)}.")
    return thing


def in_time(call: Callable[[], T]) -> T:
    """What code of a plugin of others returns while the program starts.

    Raises:
        TookTooLongError: It is given up, so that it holds nobody up.
        BaseException: Whatever it raises.
    """
    return within(LOADING_S, call)


def _members(kind: type) -> set[str]:
    """The attributes and methods that a protocol names."""
    bases = (base for base in kind.__mro__ if getattr(base, "_is_protocol", False))
    named = (name for base in bases for name in (*vars(base), *inspect.get_annotations(base)))
    return {name for name in named if not name.startswith("_")}
