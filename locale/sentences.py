"""What `make messages` finds beside calls of gettext: sentences of errors that hold no facts."""

import ast
import builtins
from collections.abc import Iterator
from typing import IO, Any

_AT_THE_START = {"ConfigurationError", "PluginError"}
"""Those of which the console tells nothing, for with them there is no server."""

_CALLED = {"__init__", "_refused"}
"""How an error's base class is given its sentence, and a function that makes errors of sentences."""


def extract(
    file: IO[bytes], keywords: Any, comment_tags: Any, options: Any
) -> Iterator[tuple[int, None, str, list[str]]]:
    """The sentences of one Python file, in the form that Babel wants of an extraction method.

    Pages look the sentence of an error up when they show it, so only those that are always the same can be found.
    """
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call) and _makes_an_error(node.func):
            given = [*node.args[:1], *(one.value for one in node.keywords if one.arg == "message")]
            for sentence in (text for one in given for text in _texts(one)):
                if sentence[:1].isupper() and sentence.endswith((".", ".)")):
                    yield node.lineno, None, sentence, []


def _makes_an_error(called: ast.expr) -> bool:
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name in _CALLED or (name.endswith("Error") and name not in _AT_THE_START and not hasattr(builtins, name))


def _texts(argument: ast.expr) -> Iterator[str]:
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    elif isinstance(argument, ast.IfExp):
        yield from _texts(argument.body)
        yield from _texts(argument.orelse)
