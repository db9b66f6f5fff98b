"""What the whole application answers outside of the API's own routes."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from litestar import Litestar, Router
from litestar.testing import AsyncTestClient

from flow2api.adapters.console.assets import asset_path
from flow2api.app import build_services, create_app
from flow2api.app.web import Application
from flow2api.extensions import load_extensions
from flow2api.settings import load_settings

SAFE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Litestar:
    """The application over services that are not open: nothing here needs them."""
    folder: Path = tmp_path_factory.mktemp("data")
    extensions = load_extensions(enabled=("policies",))
    settings = load_settings({"FLOW2API_DATA_DIR": str(folder)}, sections=extensions.sections)
    return create_app(build_services(settings, extensions))


@pytest.fixture
async def client(app: Litestar) -> AsyncIterator[AsyncTestClient[Litestar]]:
    async with AsyncTestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "/static/%00",
        "/static/a%00.css",
        "/static/" + "n" * 300,
        "/static/" + "d/" * 3000,
        "/static/none",
        "/static/",
        "/static/..%2f..%2fetc%2fpasswd",
        "/static/%ff",
        asset_path("console.css") + "/below",
    ],
)
@pytest.mark.parametrize("accept", ["*/*", "text/html"])
async def test_there_is_no_file_of_an_impossible_name(
    client: AsyncTestClient[Litestar], path: str, accept: str
) -> None:
    answer = await client.get(path, headers={"accept": accept})
    assert answer.status_code == 404
    assert SAFE.items() <= dict(answer.headers).items()
    assert answer.headers["x-request-id"]


async def test_assets_are_what_they_say_they_are(client: AsyncTestClient[Litestar]) -> None:
    answer = await client.get(asset_path("console.css"))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/css")
    assert SAFE.items() <= dict(answer.headers).items()


@pytest.mark.parametrize("path", ["/", "/healthz", asset_path("console.css"), "/nothing", "/v1/nothing", "/v1/models"])
async def test_every_answer_has_the_id_of_its_request(client: AsyncTestClient[Litestar], path: str) -> None:
    first, second = await client.get(path), await client.get(path)
    assert first.headers["x-request-id"].startswith("req_")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    given = await client.get(path, headers={"x-request-id": "support-case-17"})
    assert given.headers.get_list("x-request-id") == ["support-case-17"]


async def test_a_method_that_is_not_taken_is_answered_with_an_id_as_well(client: AsyncTestClient[Litestar]) -> None:
    answer = await client.post("/healthz")
    assert (answer.status_code, "GET" in answer.headers["allow"]) == (405, True)
    assert answer.headers["x-request-id"]


def test_a_router_is_taken_as_it_is_and_not_copied_with_all_that_hangs_on_it() -> None:
    router = Router("/", route_handlers=[])
    assert Router.register(application := Application([]), router) == []
    assert router.owner is application


def test_no_start_pays_for_libraries_that_nothing_here_is_made_of(app: Litestar) -> None:
    assert not [one for one in app.plugins if "pydantic" in type(one).__module__ or "attrs" in type(one).__module__]
