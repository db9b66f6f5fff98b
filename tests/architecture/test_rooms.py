"""What the import contracts can't say about the rooms."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pluggy
import pytest

from flow2api import hookspecs

PACKAGE = Path(__file__).parents[2] / "flow2api"
GRAB_BAGS = {
    "common",
    "core",
    "helper",
    "helpers",
    "lib",
    "manager",
    "managers",
    "misc",
    "service",
    "services",
    "util",
    "utils",
}
OF_THE_WEB = {"html", "http", "https", "status_code", "header", "headers", "sse"}
OF_TRANSACTIONS = {"commit", "flush", "rollback", "savepoint", "transaction", "unit_of_work"}


def modules_of(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (PACKAGE / folder).rglob("*.py"))


def names_in(path: Path) -> Iterator[tuple[str, int]]:
    """Every name that a module defines or uses, but not what its texts say."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from ((alias.name, node.lineno) for alias in names)


def words(name: str) -> set[str]:
    """The name itself and its parts: ``retry_header`` -> retry_header, retry, header."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)
    return {name.lower(), *(part.lower() for part in parts)}


def uses(paths: list[Path], unwanted: set[str], *, whole: bool = False) -> list[str]:
    return [
        f"{path.relative_to(PACKAGE)}:{line} {name}"
        for path in paths
        for name, line in names_in(path)
        if ({name.lower()} if whole else words(name)) & unwanted
    ]


def test_no_room_is_a_grab_bag() -> None:
    assert [str(path) for path in PACKAGE.rglob("*.py") if GRAB_BAGS & {path.stem, path.parent.name}] == []


def test_domain_has_no_word_of_the_web() -> None:
    assert uses(modules_of("domain"), OF_THE_WEB) == []


def test_ports_and_use_cases_know_no_transaction() -> None:
    assert uses(modules_of("domain/ports", "domain/usecases"), OF_TRANSACTIONS, whole=True) == []


@pytest.mark.parametrize("path", modules_of("domain/ports"), ids=lambda path: path.stem)
def test_port_is_a_protocol_without_behaviour(path: Path) -> None:
    protocols = [
        node
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).startswith("Protocol") for base in node.bases)
    ]
    methods = [
        node for port in protocols for node in port.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    assert protocols or path.stem == "__init__"
    for method in methods:
        assert ast.get_docstring(method), f"{path.name}: {method.name} says nothing of what it promises"
        assert all(isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant) for step in method.body), (
            method.name
        )


def test_hooks_only_register() -> None:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    hooks = {name: getattr(hookspecs, name) for name in vars(manager.hook) if hasattr(hookspecs, name)}

    assert hooks
    for name, hook in hooks.items():
        assert name.startswith("register_"), name
        assert not inspect.iscoroutinefunction(hook), f"{name} would hand back an un-awaited coroutine"
        assert not inspect.signature(hook).parameters, f"{name} takes arguments"


def test_secrets_are_revealed_by_adapters_and_their_way_out_only() -> None:
    rooms = {"adapters", "cli", "libcurl", "testing"}
    elsewhere = [path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] not in rooms]
    calls = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in elsewhere
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "reveal"
    ]

    assert len(elsewhere) > 100
    assert calls == []
