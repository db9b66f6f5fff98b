"""A foreign page that leads a browser here under its own name gets nothing that operators get."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from flow2api.app import running
from flow2api.app.web import create_app
from tests.integration.app.test_route_table import services_at, visiting

pytestmark = pytest.mark.asyncio(loop_scope="module")

BEHIND = [
    ("POST", "/api/admin/login"),
    ("POST", "/api/login"),
    ("GET", "/api/admin/sessions"),
    ("GET", "/api/tokens"),
    ("GET", "/schema/openapi.json"),
]
BESIDE = ["/v1/models", "/healthz", "/readyz", "/health", "/metrics", "/"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[httpx.AsyncClient]:
    folder: Path = tmp_path_factory.mktemp("program")
    public = {"FLOW2API_PUBLIC_URL": "https://Pool.example.org/x", "FLOW2API_ALLOWED_HOSTS": "gateway, console.example"}
    services = services_at(folder, **public)
    async with running(services), visiting(create_app(services)) as client:
        yield client


@pytest.mark.parametrize(("method", "path"), BEHIND)
@pytest.mark.parametrize("host", ["evil.test", "evil.test:8000", "localhost.evil.test", "127.0.0.1.evil.test"])
async def test_other_names_are_refused(client: httpx.AsyncClient, method: str, path: str, host: str) -> None:
    answer = await client.request(method, path, headers={"host": host})

    assert (answer.status_code, answer.json()["code"]) == (421, "host_not_allowed")
    assert "FLOW2API_ALLOWED_HOSTS" in answer.json()["detail"]
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("method", "path"), BEHIND)
@pytest.mark.parametrize("host", ["a/b?", "", "localhost#", "evil.test/../localhost"])
async def test_what_is_no_name_is_refused(client: httpx.AsyncClient, method: str, path: str, host: str) -> None:
    answer = await client.request(method, path, headers={"host": host})

    assert answer.status_code in (400, 421)
    assert answer.json()["code"] in ("invalid_request", "host_not_allowed")


@pytest.mark.parametrize(("method", "path"), BEHIND)
async def test_two_hosts_are_none(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path, headers=[("host", "gateway"), ("host", "evil.test")])

    assert answer.status_code == 421


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost", "[::1]:8000", "192.168.1.9", "pool.example.org", "gateway:8000"]
)
async def test_names_that_were_given_and_addresses_are_answered(client: httpx.AsyncClient, host: str) -> None:
    answer = await client.get("/api/admin/sessions", headers={"host": host})

    assert answer.json()["code"] == "setup_required"


@pytest.mark.parametrize("path", BESIDE)
async def test_clients_and_probes_may_call_it_what_they_like(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers={"host": "evil.test"})).status_code != 421
