"""``/api/admin/policies``: the ways to choose an account, and how they would have done."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.resources.queries import PREFIX
from flow2api.adapters.admin_api.schemas import Body

Names = Annotated[tuple[str, ...], msgspec.Meta(max_length=100)]


class PolicyView(msgspec.Struct, frozen=True, kw_only=True):
    """A selection policy.

    Attributes:
        is_used: Whether the option ``policy`` names it now.
    """

    name: str
    summary: str
    is_used: bool


class PolicyViews(msgspec.Struct, frozen=True, kw_only=True):
    """The policies that the option ``policy`` may name."""

    items: tuple[PolicyView, ...]
    next_cursor: str | None = None


class SimulationBody(Body, frozen=True):
    """The day whose requests are replayed, in UTC (yesterday without one), and the policies to try (all without any)."""

    day: date | None = None
    policies: Names = ()


class PolicyReplay(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one policy.

    Attributes:
        failures: How many got no account, by code.
        waited: How many had to wait, among those that were served.
        wait_p50_s: What half of those that were served waited at most, those that did not wait included.
        used: How many accounts served at all.
        most: What the busiest account served; ``least`` the least busy one.
        gini: How unevenly the work was spread: 0 is even, near 1 is one account alone.
    """

    policy: str
    served: int
    failures: Mapping[str, int]
    waited: int
    wait_p50_s: float
    wait_p95_s: float
    wait_max_s: float
    accounts: int
    used: int
    most: int
    least: int
    gini: float


class Simulation(msgspec.Struct, frozen=True, kw_only=True):
    """The policies side by side; none when nothing was asked for on that day."""

    day: date
    requests: int
    policies: tuple[PolicyReplay, ...]


def policy_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers."""

    @get(f"{PREFIX}/policies", tags=["policies"])
    async def list_policies() -> PolicyViews:
        """The selection policies."""
        used = doors.options().policy
        shown = (
            PolicyView(name=name, summary=summary, is_used=name == used)
            for name, summary in sorted(doors.policies.items())
        )
        return PolicyViews(items=tuple(shown))

    @post(f"{PREFIX}/policies/simulate", status_code=200, tags=["policies"])
    async def simulate_policies(data: JSONBody[SimulationBody]) -> Simulation:
        """Replay the requests of a stored day under policies. Nothing is sent or written; one simulation runs at a time."""
        day, replays = await doors.simulate(data.day, data.policies)
        requests = replays[0].requests if replays else 0
        names = PolicyReplay.__struct_fields__
        shown = (PolicyReplay(**{name: getattr(one, name) for name in names}) for one in replays if requests)
        return Simulation(day=day, requests=requests, policies=tuple(shown))

    return [list_policies, simulate_policies]
