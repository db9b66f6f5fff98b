"""Tells of the routes of the operators' JSON API, as they are registered."""

import inspect
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from flow2api.adapters.admin_api import is_admin_path, resources
from flow2api.adapters.admin_api.guards import FRESH, LEAST_ROLE
from flow2api.adapters.admin_api.schemas import BODY
from flow2api.app import build_services, create_app
from flow2api.extensions import load_extensions
from flow2api.settings import load_settings

SECTIONS = {
    "session": "Session",
    "accounts": "Accounts",
    "options": "Options",
    "media": "Kept media",
    "records": "Records",
    "extension": "The browser extension",
    "system": "System",
}

RESOURCES = {
    "accounts": "Accounts",
    "keys": "Keys",
    "operators": "Operators",
    "sessions": "Your own sessions",
    "options": "Options",
    "proxies": "Proxies and their pools",
    "policies": "Policies",
    "webhooks": "Webhooks",
    "notify targets": "Notify targets",
    "generations": "Generations",
    "requests": "The request log",
    "statistics": "Statistics",
    "audit": "The audit log",
}


def routes() -> str:
    """A heading for each route that the former server had: its other paths, what it does, who may, what goes in and out."""
    return _told_by(SECTIONS, [one for one in _handlers() if not _is_of_a_resource(one[0])])


def resource_routes() -> str:
    """The same for the resources."""
    return _told_by(RESOURCES, [one for one in _handlers() if _is_of_a_resource(one[0])])


def _is_of_a_resource(handler: HTTPRouteHandler) -> bool:
    return str(handler.fn.__module__).startswith(resources.__name__)


def _told_by(titles: Mapping[str, str], handlers: Sequence[tuple[HTTPRouteHandler, list[str]]]) -> str:
    parts = []
    for tag, title in titles.items():
        parts.append(f"## {title}")
        parts += [_told(handler, places) for handler, places in handlers if tag in (handler.tags or ())]
    return "\n\n".join(parts)


def application() -> Litestar:
    """The program with the built-in plugins, not opened."""
    extensions = load_extensions()
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({"FLOW2API_DATA_DIR": folder}, sections=extensions.sections)
        return create_app(build_services(settings, extensions))


def _handlers() -> list[tuple[HTTPRouteHandler, list[str]]]:
    """Each handler once, with the methods and paths that lead to it."""
    found: dict[Any, tuple[HTTPRouteHandler, list[str]]] = {}
    for route in application().routes:
        if isinstance(route, HTTPRoute) and is_admin_path(route.path):
            for handler in route.route_handlers:
                if handler.tags:
                    path = re.sub(r":[a-z]+}", "}", route.path)
                    place = found.setdefault(handler.fn, (handler, []))[1]
                    place += [f"{method} {path}" for method in sorted(handler.http_methods) if method != "OPTIONS"]
    sorted_found = [(handler, sorted(places, key=_order)) for handler, places in found.values()]
    return sorted(sorted_found, key=lambda one: _order(one[1][0]))


def _order(place: str) -> tuple[str, int]:
    method, path = place.split()
    return path, ("GET", "POST", "PUT", "PATCH", "DELETE").index(method)


def _told(handler: HTTPRouteHandler, places: list[str]) -> str:
    lines = [f"### `{places[0]}`", ""]
    if places[1:]:
        lines.append(f"Also {', '.join(f'`{place}`' for place in places[1:])}.")
    lines.append(" ".join(inspect.cleandoc(handler.fn.__doc__ or "").split()).replace("``", "`"))
    lines.append(f"{_who(handler, places[0])} {' '.join(_fields(handler))}".rstrip())
    return "\n".join(lines)


def _who(handler: HTTPRouteHandler, place: str) -> str:
    guards = {getattr(guard, "__name__", "") for guard in handler.resolve_guards()}
    if "require_connection" in guards:
        return "For the extension."
    if "require_session" not in guards:
        return "For everybody."
    least = handler.opt.get(LEAST_ROLE)
    role = least.value if least is not None else "viewer" if place.startswith("GET ") else "operator"
    return f"Role: {role}, signed in within the last 15 minutes." if handler.opt.get(FRESH) else f"Role: {role}."


def _fields(handler: HTTPRouteHandler) -> Iterator[str]:
    body = handler.parsed_data_field
    kind = handler.opt.get(BODY) if body is None else body.annotation
    if kind is not None:
        yield f"Body: {_named(kind) if _is_struct(kind) else 'values by name'}."
    signature = handler.parsed_fn_signature
    in_path = {name for path in handler.paths for name in re.findall(r"{(\w+):", path)}
    query = [name for name in signature.parameters if name not in {"request", "data", *in_path}]
    if query:
        names = {name: "state" if name == "standing" else name for name in query}
        yield f"Query: {', '.join(f'`{names[name]}`' for name in query)}."
    structs = list(_structs_in(signature.return_type.raw))
    if structs:
        yield f"Answer: {_named(structs[0], with_defaults=False)}."


def _structs_in(kind: Any) -> Iterator[type[msgspec.Struct]]:
    if _is_struct(kind):
        yield kind
    for inner in get_args(kind):
        yield from _structs_in(inner)


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _named(struct: type[msgspec.Struct], *, with_defaults: bool = True) -> str:
    shown = []
    for field in msgspec.structs.fields(struct):
        mark = "?" if with_defaults and not field.required else ""
        inner = next(_structs_in(field.type), None)
        shown.append(f"`{field.name}`{mark}" + (f" {{{_named(inner)}}}" if inner is not None else ""))
    return ", ".join(shown)
