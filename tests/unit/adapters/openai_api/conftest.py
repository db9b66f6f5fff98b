"""A client of the OpenAI surface over fakes."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from litestar import Litestar, Request, Response
from litestar.exceptions import HTTPException
from litestar.testing import AsyncTestClient

from flow2api.adapters.openai_api import Doors, create_router, envelope_response
from tests.fakes.use_cases import KEY, FakeDoors

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


@pytest.fixture
def fakes() -> FakeDoors:
    return FakeDoors()


@pytest.fixture
async def open_client(fakes: FakeDoors) -> AsyncIterator[OpenClient]:
    """Opens clients with doors of a test's own making; they are closed in the end."""
    async with AsyncExitStack() as stack:

        async def opened(**overrides: Any) -> Client:
            client = AsyncTestClient(application(fakes.doors(**overrides)), raise_server_exceptions=False)
            client.headers["authorization"] = f"Bearer {KEY}"
            return await stack.enter_async_context(client)

        yield opened


@pytest.fixture
async def client(open_client: OpenClient) -> Client:
    """A client with a good key."""
    opened: Client = await open_client()
    return opened
