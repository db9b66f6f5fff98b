"""What a text in the source of a program can come to: its forms, with placeholders for the facts in it."""

import ast
import re
from collections.abc import Sequence

SEVERAL_WORDS = re.compile(r"\b[A-Z]?[a-z]{2,}\b[^a-z]+\b[a-z]{2,}\b")
"""By this a text of ours is told from one that only puts facts together."""

Parents = dict[ast.AST, ast.AST]
"""What each node of a tree stands in."""


class Forms:
    """What texts can be, with placeholders for facts: one form for each way through their conditions.

    Args:
        scope: The function that a text stands in and the module, in which the values of its names are looked for.
    """

    def __init__(self, parents: Parents, scope: Sequence[ast.AST]) -> None:
        self._parents = parents
        self._scope = scope

    def of(self, value: ast.expr) -> list[str]:
        """The forms of one text."""
        if isinstance(value, ast.Constant):
            return [str(value.value)]
        if isinstance(value, ast.IfExp):
            return [*self.of(value.body), *self.of(value.orelse)]
        if isinstance(value, ast.BoolOp):
            return [form for one in value.values for form in self.of(one)]
        if not isinstance(value, ast.JoinedStr):
            return [f"%({_fact(value)})s"]
        forms = [""]
        for part in value.values:
            ends = self._parts(part)
            forms = [f"{form}{end}" for form in forms for end in ends]
        return [_tidy(form) for form in forms]

    def _parts(self, part: ast.expr) -> list[str]:
        if isinstance(part, ast.Constant):
            return [str(part.value).replace("%", "%%")]
        if not isinstance(part, ast.FormattedValue):
            return []
        inside = part.value
        if part.conversion == -1 and part.format_spec is None:
            if isinstance(inside, ast.JoinedStr) or _has_words(inside):
                return self.of(inside)
            if isinstance(inside, ast.Name):
                known = self._known(inside.id)
                if known:
                    return [form for one in known for form in self.of(one)]
        wanted = "" if part.format_spec is None else ast.unparse(part.format_spec)
        return [" at ".join([f"%({_fact(inside)})s"] * (wanted.count(" at ") + 1))]  # a day and its time

    def _known(self, name: str) -> list[ast.expr]:
        """The texts that a name stands for; empty unless it is those alone."""
        if not self._scope or not isinstance(function := self._scope[0], ast.FunctionDef | ast.AsyncFunctionDef):
            return []
        names = [one.arg for one in (*function.args.posonlyargs, *function.args.args) if one.arg not in ("self", "cls")]
        if name in names:
            given = self._given(function.name, names.index(name))
            return given if all(_is_telling(one) or (name == "what" and _is_word(one)) for one in given) else []
        values: list[ast.expr] = []
        for node in ast.walk(function):
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store):
                setting = self._parents[node]
                if not isinstance(setting, ast.Assign) or setting.targets != [node]:
                    return []
                values.append(setting.value)
        return values if all(_is_telling(one) for one in values) else []

    def _given(self, function: str, at: int) -> list[ast.expr]:
        """What a function of the module is called with."""
        calls = [one for one in ast.walk(self._scope[-1]) if isinstance(one, ast.Call) and called(one) == function]
        values = [one.args[at] for one in calls if len(one.args) > at]
        return values if len(values) == len(calls) else []


def _has_words(value: ast.expr) -> bool:
    """Whether one of the things that it can be is a text of ours."""
    if isinstance(value, ast.IfExp):
        return _has_words(value.body) or _has_words(value.orelse)
    if isinstance(value, ast.BoolOp):
        return any(map(_has_words, value.values))
    return isinstance(value, ast.JoinedStr) or (isinstance(value, ast.Constant) and bool(str(value.value).strip()))


def _is_telling(value: ast.expr) -> bool:
    """Whether it is a text of ours, whatever it comes to."""
    if isinstance(value, ast.IfExp):
        return _is_telling(value.body) and _is_telling(value.orelse)
    if isinstance(value, ast.JoinedStr):
        told = " ".join(str(one.value) for one in value.values if isinstance(one, ast.Constant))
        return SEVERAL_WORDS.search(told) is not None
    return isinstance(value, ast.Constant) and " " in str(value.value)


def _is_word(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and str(value.value).isalpha()


def _tidy(form: str) -> str:
    """Facts that touch become one, and each has a name of its own."""
    form = re.sub(r"(%\(\w+\)s)(?:%\(\w+\)s)+", r"\1", form)
    seen: dict[str, int] = {}

    def named(match: re.Match[str]) -> str:
        name = match[1]
        seen[name] = seen.get(name, 0) + 1
        return f"%({name}{seen[name] if seen[name] > 1 else ''})s"

    return re.sub(r"%\((\w+?)\d*\)s", named, form)


def _fact(value: ast.expr) -> str:
    """What a fact is called: the last telling name of how it is come by."""
    if isinstance(value, ast.Name):
        return value.id.strip("_").lower()
    if isinstance(value, ast.Attribute):
        return _fact(value.value) if value.attr in ("value", "message") else value.attr.strip("_").lower()
    if isinstance(value, ast.Subscript):
        return _fact(value.value)
    if isinstance(value, ast.IfExp):
        return _fact(value.body)
    if isinstance(value, ast.BinOp):
        return _fact(value.left if not isinstance(value.left, ast.Constant) else value.right)
    if isinstance(value, ast.BoolOp):
        return _fact(value.values[0])
    if isinstance(value, ast.GeneratorExp | ast.ListComp):
        return _fact(value.generators[0].iter)
    if isinstance(value, ast.Call):
        for one in reversed(value.args):
            if (name := _fact(one)) not in ("", "fact"):
                return name
        return _fact(value.func.value) if isinstance(value.func, ast.Attribute) else called(value).strip("_")
    return "fact"


def called(node: ast.Call) -> str:
    """The name of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
