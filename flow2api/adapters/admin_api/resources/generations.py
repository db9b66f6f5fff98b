"""``/api/admin/generations``: what was asked for, and how its account was chosen."""

from typing import Annotated

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, PathParameter, QueryParameter

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.resources.queries import PREFIX, Cursor, Limit, OptionalId, Word
from flow2api.documents.generations import GenerationView, generation_view
from flow2api.domain.generation import State
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import GenerationFilter
from flow2api.domain.prompt_search import LONGEST_TEXT, words_of


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
        q: Annotated[str, QueryParameter(max_length=LONGEST_TEXT)] = "",
    ) -> Generations:
        """What everybody asked for, whether it runs, has ended or was deleted.

        `q` are words that the prompt has to have, all of them, in capitals or not. Each look for them goes through 20,000
        generations at most, so that a page may have few items or none, and a `next_cursor` all the same.
        """
        wanted = GenerationFilter(key_id=key_id, account_id=account_id, kind=kind, state=standing, model=model)
        if words_of(q):
            found = await doors.find_prompts(q, wanted, after=cursor, limit=limit)
            return Generations(items=tuple(generation_view(one) for one in found.items), next_cursor=found.further)
        page = await doors.generations.page(wanted, after=cursor, limit=limit)
        return Generations(
            items=tuple(generation_view(one) for one in page.items),
            next_cursor=page.items[-1].id if page.has_more else None,
        )

    @get(f"{PREFIX}/generations/{{generation_id:str}}", tags=["generations"])
    async def show_generation(generation_id: Annotated[str, PathParameter(max_length=128)]) -> GenerationView:
        """One generation: how it went, and how its account was chosen."""
        return generation_view(await doors.generations.get(generation_id))

    return [list_generations, show_generation]
