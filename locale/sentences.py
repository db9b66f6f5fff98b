"""What `make messages` finds beside calls of gettext: words of the program that pages look up when they show them."""

import ast
import builtins
import re
from collections.abc import Collection, Iterator
from typing import IO, Any

from babel.messages.extract import extract_python
from forms import SEVERAL_WORDS, Forms, Parents, called

RETOLD = "Told elsewhere in the program; known again by its form."
"""The note at each of these messages, by which the console tells them from its own words."""

_AT_THE_START = {"ConfigurationError", "PluginError"}
"""Errors that pages show only of some files, for with others there is no server."""

_OF_ERRORS = {"__init__", "_refused"}
"""How an error's base class is given its sentence, and a function that makes errors of sentences."""

_WITH_WORDS = {
    "Fault",
    "Finding",
    "HealthEvent",
    "NamedPolicy",
    "Receipt",
    "TransferFailedError",
    "_about",
    "_note",
    "_switch_off",
    "_unsupported",
}
"""What a check found, what happened to an account, what a policy does: any argument may be words."""

_SILENT = {"Secret", "Thread", "compile", "gettext", "ngettext", "search", "text"}
"""Calls whose texts nobody reads, or that are found by others."""

_SECTION = "Settings"
"""How classes are called whose docstring tells what a section of the settings is for, and what each of its settings is."""

_UNTOLD = {"_NEAR"}
"""Constants that look like words."""

_CHECKS = {"Check", "DoctorCheck"}
"""What makes a check of a name and how it looks."""

_TABLES = {"COMMAND_LINE", "_CAUSES", "_CURED", "_REASONS", "_WORDS"}
"""Constants whose values are words."""

_CLAUSES = {
    "_ask",
    "_kind",
    "_listed",
    "_more_pixels",
    "_pictures",
    "_refuse_others",
    "_told",
    "explain",
    "said",
    "secret",
}
"""Functions that make words, or parts of a sentence."""

_REASONS = {"AccountStatus": " ", "RestReason": "_"}
"""Enumerations whose members are told with how many there are, and what stands between their words then."""

_REFUSALS = {"_reasons", "_reasons_of_all", "refusal"}
"""Functions that name reasons of the same kind, as constants and as keys."""

_OF_REFUSALS = {"_reasons_of_all", "refusal_for"}
"""One of these is in a module whose functions do so."""

_TERMS = {"CallKind", "MediaKind", "Role"}
"""Enumerations whose members are words of sentences."""

_SENTENCE = re.compile(r"(?:[A-Z`]|%\(\w+\)s).*(?:[.?]\)?|: %\(\w+\)s|[.?]%\(\w+\)s|[.?] %\(\w+\)s)", re.DOTALL)
_CODE = re.compile(r"^from \w+ import|</|<\w+[ -]|;$|\{\w+\}|%[sd]|\||:$")
_CLAUSE_ALONE = re.compile(r"(?=[a-z`])[^A-Z]*\b[a-z]{2,} [a-z]{2,} [a-z_]{2,}\b")
_BEGINS = set("ABCDEFGHIJKLMNOPQRSTUVWXYZ`")
_PLACEHOLDER = re.compile(r"%\(\w+\)s")
_CLAUSE = re.compile(r"[a-z]{2,} +[a-z]{2,}")

_NO_WORDS = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)
_MAY_HOLD_WORDS = (
    ast.AnnAssign,
    ast.Assign,
    ast.AsyncFunctionDef,
    ast.BinOp,
    ast.Call,
    ast.ClassDef,
    ast.Constant,
    ast.FunctionDef,
    ast.JoinedStr,
    ast.Module,
)
"""Two kinds of nodes: a third of them are the first, and only a third are the second."""

Message = str | tuple[str, str]
Found = Iterator[tuple[int, str | None, Message, list[str]]]


def extract(file: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Found:
    """The words of one Python file, in the form that Babel wants of an extraction method.

    A sentence with facts in it becomes a message with placeholders that are named after them.
    """
    return _found(file.read(), _AT_THE_START)


def extract_all(file: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Found:
    """The same with errors that elsewhere are told at the start alone."""
    return _found(file.read(), set())


def extract_console(file: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Iterator[Any]:
    """The words of a file of the console: calls of gettext, and errors as elsewhere."""
    yield from extract_python(file, keywords, comment_tags, options)
    file.seek(0)
    yield from _found(file.read(), _AT_THE_START)


def _found(source: bytes, unseen: set[str]) -> Found:
    nodes, parents = _read(source)
    for node in nodes:
        line = getattr(node, "lineno", 0)
        for words in (*_words(node), *_without_facts(node, parents, unseen), *_with_facts(node, parents, unseen)):
            yield line, None, words, [RETOLD]
        for one, many in _counted(node):
            yield line, "ngettext", (f"%(count)s {one}", f"%(count)s {many}"), [RETOLD]
        if isinstance(node, ast.Call) and called(node) in _CHECKS:
            names = [*node.args[:1], *(one.value for one in node.keywords if one.arg == "name")]
            yield from ((line, None, f"check: {name}", []) for one in names for name in _texts(one))


def _read(source: bytes) -> tuple[list[ast.AST], Parents]:
    """All nodes of a file that may hold words, from the outside, and what each node stands in."""
    nodes: list[ast.AST] = [ast.parse(source)]
    parents: Parents = {}
    for node in nodes:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, _NO_WORDS):
                parents[child] = node
                nodes.append(child)
    return [node for node in nodes if isinstance(node, _MAY_HOLD_WORDS)], parents


def _words(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
        if any(getattr(one, "id", "") in _TABLES for one in targets):
            yield from (words for words in _texts(node.value) if " " in words)
    elif isinstance(node, ast.ClassDef) and node.name.endswith(_SECTION) and "Struct" in map(_name_of, node.bases):
        yield from _of_section(ast.get_docstring(node) or "")
    elif isinstance(node, ast.ClassDef) and node.name in {*_REASONS, *_TERMS}:
        values = [text for one in node.body if isinstance(one, ast.Assign) for text in _texts(one.value)]
        between = _REASONS.get(node.name)
        yield from values if between is None else (f"%(count)s {one.replace('_', between)}" for one in values)
    elif isinstance(node, ast.Module) and (reasons := _refusals(node)):
        yield from (f"%(count)s {one}" for one in reasons)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name in _CLAUSES:
        returned = (one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value is not None)
        yield from (words for one in returned for words in _texts(one) if words)
    elif isinstance(node, ast.Call) and called(node) in _WITH_WORDS:
        given = [*node.args, *(one.value for one in node.keywords)]
        yield from (words for one in given for words in _texts(one) if " " in words)


def _of_section(docstring: str) -> Iterator[str]:
    """What a section is for, and each of its settings, without the marks of code."""
    about, _, attributes = docstring.partition("Attributes:\n")
    yield about.split("\n")[0]
    for one in re.split(r"\n(?= {4}\w)", f"\n{attributes}")[1:]:
        yield " ".join(one.partition(": ")[2].replace("``", "").split())


def _without_facts(node: ast.AST, parents: Parents, unseen: set[str]) -> Iterator[str]:
    """A sentence that is always the same, or several words of one."""
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        return
    words = node.value.strip()
    if not (_is_sentence(words) or _CLAUSE_ALONE.match(words)) or _CODE.search(words):
        return
    outer = parents.get(node)
    while outer is not None and not isinstance(outer, ast.stmt | ast.Lambda):
        if isinstance(outer, ast.JoinedStr | ast.Subscript | ast.Compare):
            return
        if isinstance(outer, ast.Call) and (called(outer) in unseen | _SILENT or _is_silent(outer)):
            return
        outer = parents.get(outer)
    is_docstring = isinstance(outer, ast.Expr) and outer.value is node
    if not is_docstring and not (isinstance(outer, ast.Assign) and _name_of(outer.targets[0]) in _UNTOLD):
        yield words


def _counted(node: ast.AST) -> Iterator[tuple[str, str]]:
    """What is counted, as one and as many; with what is said behind it, too."""
    behind = ""
    if isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant):
        behind, node = str(node.right.value), node.left
    if isinstance(node, ast.Call) and called(node) == "counted":
        for noun in Forms({}, ()).of(node.args[1]):
            plural = f"{noun[:-1]}ies" if noun.endswith("xy") else f"{noun}s"
            yield f"{noun}{behind}", f"{plural}{behind}"


def _refusals(module: ast.Module) -> list[str]:
    functions = [one for one in ast.walk(module) if isinstance(one, ast.FunctionDef)]
    if not {one.name for one in functions} & _OF_REFUSALS:
        return []
    inside = [one for function in functions if function.name in _REFUSALS for one in ast.walk(function)]
    named = [one.value for one in module.body if isinstance(one, ast.Assign)]
    named += [one.value for one in inside if isinstance(one, ast.Return) and one.value is not None]
    named += [one.slice for one in inside if isinstance(one, ast.Subscript)]
    named += [key for one in inside if isinstance(one, ast.Dict) for key in one.keys if key is not None]
    return sorted({text for one in named for text in _texts(one) if text.replace("_", "").islower()})


def _with_facts(node: ast.AST, parents: Parents, unseen: set[str]) -> Iterator[str]:
    if not isinstance(node, ast.JoinedStr):
        return
    is_clause = is_of_error = False
    inner: ast.AST = node
    outer = parents.get(node)
    while outer is not None and not isinstance(outer, ast.stmt | ast.Lambda):
        if isinstance(outer, ast.FormattedValue | ast.JoinedStr | ast.Subscript | ast.Compare):
            return  # a part of another one
        if isinstance(outer, ast.Call):
            name = called(outer)
            if name in unseen or inner is outer.func or _is_silent(outer):
                return
            is_of_error = is_of_error or _is_of_errors(name)
            is_clause = is_clause or name in _WITH_WORDS | _CHECKS or _is_on(outer, _TABLES)
        inner, outer = outer, parents.get(outer)
    scope = _scope(node, parents)
    is_clause = is_clause or getattr(scope[0], "name", "") in _CLAUSES
    is_assigned = isinstance(outer, ast.AugAssign) or (
        isinstance(outer, ast.Assign) and isinstance(outer.targets[0], ast.Name)
    )
    for form in Forms(parents, scope).of(node):
        words = form.strip()
        told = _PLACEHOLDER.sub(" ", words)
        is_sentence = _SENTENCE.fullmatch(words) is not None and SEVERAL_WORDS.search(told) is not None
        is_part = (is_assigned or is_of_error) and _CLAUSE.search(told) is not None and not _CODE.search(told)
        if is_sentence or is_part or (is_clause and re.search(r"[a-z]{2}", told)):
            yield words


def _scope(node: ast.AST, parents: Parents) -> list[ast.AST]:
    """The functions that a node stands in, from the inside, and the module."""
    found = [node]
    while (outer := parents.get(found[-1])) is not None:
        found.append(outer)
    return [one for one in found if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module)]


def _is_of_errors(name: str) -> bool:
    return name in _OF_ERRORS or (name.endswith("Error") and not _is_of_python(name))


def _is_of_python(name: str) -> bool:
    return name.endswith("Error") and hasattr(builtins, name)


def _name_of(value: ast.expr) -> str:
    return value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")


def _is_on(node: ast.Call, names: Collection[str]) -> bool:
    """Whether it calls a method of one of these."""
    return isinstance(node.func, ast.Attribute) and _name_of(node.func.value) in names


def _is_silent(node: ast.Call) -> bool:
    """Whether it tells only those who develop the program."""
    return _is_of_python(called(node)) or _is_on(node, {"log", "_log"})


def _is_sentence(text: str) -> bool:
    return text[:1] in _BEGINS and text.endswith((".", ".)")) and SEVERAL_WORDS.search(text) is not None


def _texts(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _texts(value.body)
        yield from _texts(value.orelse)
    elif isinstance(value, ast.Dict | ast.BoolOp):
        for one in value.values:
            yield from _texts(one)
    elif isinstance(value, ast.Tuple):
        for one in value.elts:
            yield from _texts(one)
