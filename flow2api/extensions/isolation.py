"""Runs code of plugins so that it holds nobody up, and tells what it says of itself in a line that may be shown."""

import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import TypeVar

from flow2api.domain.errors import PluginError
from flow2api.domain.redaction import redact_text

LOADING_S = 10.0
"""A plugin that has not registered within this is left out."""

_LONGEST_TEXT = 400

T = TypeVar("T")


class TookTooLongError(Exception):
    """What was called has not come to an end."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """What a call returns, made in a thread of its own, which is given up when it takes too long.

    What it prints goes to standard error, for it must not end in what a command prints.

    Raises:
        TookTooLongError: It took too long; the thread goes on until the program ends.
        PluginError: It raised what would be taken for the operator's wish to end the program, or for the end of a task.
        Exception: Whatever else the call raises, `SystemExit` included.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:  # noqa: BLE001 - handed on to whoever waits
            errors.append(error)

    # A daemon: one that hangs must not keep the program from ending.
    thread = threading.Thread(target=run, name="plugin", daemon=True)
    with redirect_stdout(sys.stderr):
        thread.start()
        thread.join(seconds)
    if errors and not isinstance(errors[0], Exception | SystemExit):
        raise PluginError(f"It raised {told(errors[0])}") from errors[0]
    if errors:
        raise errors[0]
    if not results:
        raise TookTooLongError(f"It did not come to an end within {seconds:g} s.")
    return results[0]


def in_one_line(text: str, longest: int = _LONGEST_TEXT) -> str:
    """What a plugin says, without what has the shape of a secret, and so that no terminal or log takes it for more."""
    line = " ".join(redact_text(text[: 2 * _LONGEST_TEXT]).split())
    return "".join(char for char in line if char.isprintable())[:longest]


def told(error: BaseException) -> str:
    """An error in one line, with the place in the plugin's code."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    try:
        text = in_one_line(str(error))
    except BaseException:  # noqa: BLE001 - its text is code of the plugin, too
        text = ""
    return f"{type(error).__name__}{f': {text}' if text else ''}{place}."
