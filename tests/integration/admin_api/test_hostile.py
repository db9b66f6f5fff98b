"""Whatever is sent to any route of a resource, the server answers as it does to every error, and changes nothing."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from litestar.routes import HTTPRoute

from flow2api.adapters.admin_api import resources
from flow2api.app import create_app
from tests.integration.admin_api.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")

BODIES = {
    "nothing": b"",
    "half": b"{",
    "list": b"[]",
    "null": b"null",
    "text": b'"x"',
    "no utf-8": b'{"name": "\xff\xfe"}',
    "deep": b"[" * 50_000,
    "deep object": b'{"a":' * 20_000,
    "unknown field": b'{"__class__": 1}',
    "huge number": b'{"weight": 1e999, "name": 123456789012345678901234567890}',
    "two in one": b"{}{}",
}
IDS = ["0", "9223372036854775807", "9223372036854775808", "99999999999999999999999999", "1e3", "%00", "-1", "..%2f1"]
QUERIES = [
    {"limit": "1e3"},
    {"limit": "-5"},
    {"limit": "99999999999999999999"},
    {"cursor": "\x00"},
    {"cursor": "'; DROP TABLE accounts; --"},
    {"cursor": "x" * 129},
    {"day": "2026-13-45"},
    {"since": "0001-01-01T00:00:00Z", "until": "9999-12-31T23:59:59Z"},
    {"since": "9999-12-31T23:59:59-23:59"},
    {"tag": "\x00", "q": "\x00", "action": "\x00", "model": "\x00", "id": "\x00"},
    {"day": "0001-01-01", "days": "1000"},
    {"day": "9999-12-31"},
    {"key_id": "9223372036854775808", "account_id": "0"},
]


def routes(site: Site) -> Iterator[tuple[str, str, bool]]:
    """Method and path of every route of a resource, and whether it takes a body."""
    for route in create_app(site.services).routes:
        for handler in route.route_handlers if isinstance(route, HTTPRoute) else ():
            if str(handler.fn.__module__).startswith(resources.__name__):
                for method in sorted(handler.http_methods - {"OPTIONS"}):
                    yield method, route.path, handler.parsed_data_field is not None


def fault_of(answer: Any) -> str | None:
    """What is wrong with an answer that refuses."""
    told = answer.json() if answer.headers.get("content-type", "").startswith("application/json") else {}
    is_right = answer.status_code in (400, 404, 405, 409, 413) and set(told) == {"detail", "code", "request_id"}
    return None if is_right else f"{answer.status_code} {answer.text[:200]}"


@pytest.mark.parametrize("body", BODIES)
async def test_body_that_makes_no_sense_is_refused_by_every_route_that_takes_one(site: Site, body: str) -> None:
    before = await site.audited()
    wrong = {}
    for method, path, takes_body in routes(site):
        if takes_body:
            address = re.sub(r"\{\w+:int\}", "1", re.sub(r"\{\w+:str\}", "x", path))
            headers = {"content-type": "application/json"}
            answer = await site.owner.request(method, address, content=BODIES[body], headers=headers)
            if (fault := fault_of(answer)) is not None:
                wrong[method, path] = fault

    assert wrong == {}
    assert await site.audited() == before


async def test_body_of_another_type_is_refused(site: Site) -> None:
    for method, path, takes_body in routes(site):
        if takes_body:
            address = re.sub(r"\{\w+:int\}", "1", re.sub(r"\{\w+:str\}", "x", path))
            answer = await site.owner.request(method, address, content=b"{}", headers={"content-type": "text/plain"})
            assert answer.status_code == 415, (method, path)


@pytest.mark.parametrize("number", IDS)
async def test_id_that_nothing_has_is_not_found_or_refused(site: Site, number: str) -> None:
    wrong = {}
    for method, path, takes_body in routes(site):
        if ":int}" in path:
            address = re.sub(r"\{\w+:int\}", number, path)
            answer = await site.owner.request(method, address, json={} if takes_body else None)
            if (fault := fault_of(answer)) is not None:
                wrong[method, path] = fault

    assert wrong == {}


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: str(list(query)))
async def test_query_that_makes_no_sense_breaks_no_list(site: Site, query: dict[str, str]) -> None:
    wrong = {}
    for method, path, _ in routes(site):
        if method == "GET" and "{" not in path:
            answer = await site.viewer.get(path, params=query)
            fault = None if answer.status_code == 200 else fault_of(answer)
            if fault is not None:
                wrong[path] = fault

    assert wrong == {}
