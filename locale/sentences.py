"""What `make messages` finds beside calls of gettext: words of the program that pages look up when they show them."""

import ast
import builtins
from collections.abc import Iterator
from typing import IO, Any

_AT_THE_START = {"ConfigurationError", "PluginError"}
"""Errors of which the console tells nothing, for with them there is no server."""

_OF_ERRORS = {"__init__", "_refused"}
"""How an error's base class is given its sentence, and a function that makes errors of sentences."""

_WITH_WORDS = {"Finding", "HealthEvent", "NamedPolicy", "_about", "_note"}
"""What a check found, what happened to an account, what a policy does: any argument may be words."""

_TABLES = {"_CURED"}
"""Constants whose values are words."""


def extract(
    file: IO[bytes], keywords: Any, comment_tags: Any, options: Any
) -> Iterator[tuple[int, None, str, list[str]]]:
    """The words of one Python file, in the form that Babel wants of an extraction method.

    Words are looked up as a whole, so only those that are always the same can be found: none with facts in them.
    """
    for node in ast.walk(ast.parse(file.read())):
        for words in _words(node):
            yield getattr(node, "lineno", 0), None, words, []


def _words(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Assign) and any(getattr(one, "id", "") in _TABLES for one in node.targets):
        yield from (words for words in _texts(node.value) if " " in words)
    elif isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = [*node.args, *(one.value for one in node.keywords)]
        if name in _WITH_WORDS:
            yield from (words for one in given for words in _texts(one) if " " in words)
        elif _is_of_errors(name):
            yield from (words for one in given for words in _texts(one) if _is_sentence(words))


def _is_of_errors(name: str) -> bool:
    return name in _OF_ERRORS or (name.endswith("Error") and name not in _AT_THE_START and not hasattr(builtins, name))


def _is_sentence(text: str) -> bool:
    return text[:1].isupper() and text.endswith((".", ".)"))


def _texts(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _texts(value.body)
        yield from _texts(value.orelse)
    elif isinstance(value, ast.Dict):
        for one in value.values:
            yield from _texts(one)
