"""A client of the OpenAI surface over fakes."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from functools import cache
from typing import Any

import pytest
from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.testing import AsyncTestClient

from flow2api.adapters.openai_api import Doors, create_router, envelope_response
from flow2api.domain.catalog import ModelRoutes
from tests.fakes.use_cases import CATALOG, KEY, FakeDoors

Client = AsyncTestClient[Litestar]
OpenClient = Callable[..., Any]


def application(doors: Doors) -> Litestar:
    """The surface alone, with what the whole program adds around it."""

    def outside(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        return envelope_response(error, request)

    return Litestar(
        route_handlers=create_router(doors),
        exception_handlers={HTTPException: outside, Exception: outside},
        openapi_config=None,
        logging_config=None,
    )


class _Present:
    """Stands for one of the fakes of the test that runs now, so that all tests can share one application."""

    fakes = FakeDoors()

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        return getattr(getattr(_Present.fakes, self._name), attribute)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(_Present.fakes, self._name)(*args, **kwargs)


@cache
def shared_application() -> Litestar:
    """Registering the routes takes longer than most tests do, so it is done once."""
    names = ("authorize", "generate", "ingest", "generations", "media", "clock", "pictures")
    present: dict[str, Any] = {name: _Present(name) for name in names}
    present["routes"] = ModelRoutes(CATALOG, lambda: _Present.fakes.options.model_routes)
    return application(FakeDoors().doors(**present, options=lambda: _Present.fakes.options))


@pytest.fixture
def fakes() -> FakeDoors:
    _Present.fakes = FakeDoors()
    return _Present.fakes


@pytest.fixture
async def open_client(fakes: FakeDoors) -> AsyncIterator[OpenClient]:
    """Opens clients with doors of a test's own making; they are closed in the end."""
    async with AsyncExitStack() as stack:

        async def opened(**overrides: Any) -> Client:
            app = application(fakes.doors(**overrides)) if overrides else shared_application()
            client = AsyncTestClient(app, raise_server_exceptions=False)
            client.headers["authorization"] = f"Bearer {KEY}"
            return await stack.enter_async_context(client)

        yield opened


@pytest.fixture
async def client(open_client: OpenClient) -> Client:
    """A client with a good key."""
    opened: Client = await open_client()
    return opened
