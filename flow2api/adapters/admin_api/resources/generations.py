"""``/api/admin/generations``: what was asked for, and how its account was chosen."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, PathParameter, QueryParameter

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.resources.queries import PREFIX, Cursor, Limit, OptionalId, Word
from flow2api.domain.choice import Choice
from flow2api.domain.generation import Generation, State
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import GenerationFilter


class ChoiceView(msgspec.Struct, frozen=True, kw_only=True):
    """How an account was chosen.

    Attributes:
        ready: How many accounts could have served.
        refused: How many could not, by reason.
        position: Its place in the waiting line when it began to wait; 0 when it did not.
    """

    policy: str
    ready: int
    refused: Mapping[str, int]
    why: str
    position: int
    waited_ms: int


class GenerationView(msgspec.Struct, frozen=True, kw_only=True):
    """A generation, without its prompt and inputs.

    Attributes:
        model: The name that was asked for; ``spec`` is the concrete model that serves it.
        attempts: How many submits were tried, on whatever account.
        choice: How the account of the latest attempt was chosen.
    """

    id: str
    state: str
    phase: str | None
    kind: str
    model: str
    spec: str
    door: str
    key_id: int | None
    account_id: int | None
    attempts: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    code: str | None
    message: str | None
    warnings: tuple[str, ...]
    choice: ChoiceView | None


class Generations(msgspec.Struct, frozen=True, kw_only=True):
    """A page of generations, newest first."""

    items: tuple[GenerationView, ...]
    next_cursor: str | None


def generation_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers."""

    @get(f"{PREFIX}/generations", tags=["generations"])
    async def list_generations(
        limit: Limit = 50,
        cursor: Cursor = None,
        key_id: OptionalId = None,
        account_id: OptionalId = None,
        kind: FromQuery[MediaKind | None] = None,
        standing: Annotated[State | None, QueryParameter(name="state")] = None,
        model: Word = None,
    ) -> Generations:
        """What everybody asked for, whether it runs, has ended or was deleted."""
        wanted = GenerationFilter(key_id=key_id, account_id=account_id, kind=kind, state=standing, model=model)
        page = await doors.generations.page(wanted, after=cursor, limit=limit)
        return Generations(
            items=tuple(_view(one) for one in page.items), next_cursor=page.items[-1].id if page.has_more else None
        )

    @get(f"{PREFIX}/generations/{{generation_id:str}}", tags=["generations"])
    async def show_generation(generation_id: Annotated[str, PathParameter(max_length=128)]) -> GenerationView:
        """One generation: how it went, and how its account was chosen."""
        return _view(await doors.generations.get(generation_id))

    return [list_generations, show_generation]


def _view(generation: Generation) -> GenerationView:
    fault = generation.fault
    return GenerationView(
        id=generation.id,
        state=generation.state.value,
        phase=None if generation.phase is None else generation.phase.value,
        kind=generation.kind.value,
        model=generation.model,
        spec=generation.spec_name,
        door=generation.door,
        key_id=generation.key_id,
        account_id=generation.account_id,
        attempts=generation.attempts,
        created_at=generation.created_at,
        started_at=generation.started_at,
        ended_at=generation.ended_at,
        code=None if fault is None else fault.code,
        message=None if fault is None else fault.message,
        warnings=generation.warnings,
        choice=None if generation.choice is None else _choice(generation.choice),
    )


def _choice(choice: Choice) -> ChoiceView:
    return ChoiceView(
        policy=choice.policy,
        ready=choice.ready,
        refused=dict(choice.refused),
        why=choice.why,
        position=choice.position,
        waited_ms=choice.waited_ms,
    )
