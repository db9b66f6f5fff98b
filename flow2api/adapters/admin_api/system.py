"""How the server and its pool stand: for operators, and, as far as it is let, for everybody."""

import msgspec
from litestar import MediaType, Response, get
from litestar.handlers import HTTPRouteHandler

from flow2api.adapters.admin_api.doors import AdminDoors


class SystemInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What runs here."""

    total_tokens: int
    active_tokens: int
    total_credits: int
    version: str


class SystemInfoAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What runs here."""

    info: SystemInfo
    success: bool = True


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the server can be of use."""

    backend_running: bool
    has_active_tokens: bool


class HealthCounts(Health, frozen=True, kw_only=True):
    """How many accounts stand how.

    Attributes:
        tokens_missing_at: Never exchanged yet.
        banned_429_tokens: Resting for a rate limit.
    """

    total_tokens: int
    active_tokens: int
    tokens_missing_at: int
    tokens_expired: int
    tokens_expiring_within_1h: int
    banned_429_tokens: int


def system_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handler for operators."""

    @get("/api/system/info", tags=["system"])
    async def system_info() -> SystemInfoAnswer:
        """How many accounts there are, what they have left, and which version runs."""
        census = await doors.census()
        info = SystemInfo(
            total_tokens=census.total,
            active_tokens=census.active,
            total_credits=census.credits,
            version=doors.version,
        )
        return SystemInfoAnswer(info=info)

    return [system_info]


def health_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handler for everybody; it tells from memory."""

    @get("/health", tags=["system"])
    async def health() -> HealthCounts | Health:
        """Whether the server can be of use, and, unless the option ``health_counts`` is off, how its accounts stand."""
        census = await doors.census()
        if not doors.options().health_counts:
            return Health(backend_running=True, has_active_tokens=census.active > 0)
        return HealthCounts(
            backend_running=True,
            has_active_tokens=census.active > 0,
            total_tokens=census.total,
            active_tokens=census.active,
            tokens_missing_at=census.warming,
            tokens_expired=census.expired,
            tokens_expiring_within_1h=census.expiring,
            banned_429_tokens=census.rate_limited,
        )

    return [health]


def metrics_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handler for Prometheus, behind the session unless the setting opens it."""

    @get("/metrics", media_type=MediaType.TEXT, tags=["system"])
    async def metrics() -> Response[str]:
        """The figures of this process, in Prometheus' text format."""
        return Response(await doors.metrics(), headers={"content-type": "text/plain; version=0.0.4; charset=utf-8"})

    return [metrics]
