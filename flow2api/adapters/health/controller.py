"""``/healthz``: the process answers. ``/readyz``: it can do its work."""

import asyncio
from collections.abc import Awaitable, Callable

from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler

from flow2api.domain.errors import StorageError, StorageFullError

_STORAGE_ANSWERS_WITHIN_S = 2.0
_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}


class Readiness:
    """Whether requests should come here.

    Attributes:
        is_draining: The server is stopping; listeners still answer.
    """

    def __init__(
        self, ping_storage: Callable[[], Awaitable[None]], media_problem: Callable[[], str | None] = lambda: None
    ) -> None:
        """Put it together.

        Args:
            media_problem: What keeps media from being kept, as a stable code; None when nothing does.
        """
        self._ping_storage = ping_storage
        self._media_problem = media_problem
        self.is_draining = False

    async def problem(self) -> str | None:
        """What keeps the server from its work, as a stable code; None when nothing does."""
        if self.is_draining:
            return "draining"
        try:
            async with asyncio.timeout(_STORAGE_ANSWERS_WITHIN_S):
                await self._ping_storage()
        except StorageFullError:
            return "storage_full"
        except (StorageError, TimeoutError):
            return "storage_unavailable"
        return self._media_problem()


def health_handlers(readiness: Readiness) -> list[HTTPRouteHandler]:
    """The two handlers. Both are public and tell nothing else."""

    @get("/healthz", media_type=MediaType.JSON, include_in_schema=False)
    async def healthz() -> Response[dict[str, str]]:
        return Response({"status": "ok"}, headers=_HEADERS)

    @get("/readyz", media_type=MediaType.JSON, include_in_schema=False)
    async def readyz() -> Response[dict[str, str]]:
        problem = await readiness.problem()
        if problem is None:
            return Response({"status": "ready"}, headers=_HEADERS)
        return Response({"status": problem}, status_code=503, headers=_HEADERS)

    return [healthz, readyz]
