"""``/api/admin/statistics``: what was made, how often it failed and how long it took."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.resources.queries import PREFIX, HttpRequest, Limit, OptionalId, Word
from flow2api.documents.statistics import CountsView, counts_view
from flow2api.domain.statistics import Counts, Dimension, Scope
from flow2api.domain.usecases.read_statistics import MOST_DAYS

_NOTHING = Counts()
_PARTS = {f"{PREFIX}/statistics/{one.value}s": one for one in Dimension}


class StatisticsView(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a day, and since the beginning.

    Attributes:
        time_zone: The one whose days are counted: the option ``time_zone``, or the machine's.
    """

    time_zone: str
    day: date
    on_day: CountsView
    total: CountsView


class DayView(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one day."""

    day: date
    counts: CountsView


class DaysView(msgspec.Struct, frozen=True, kw_only=True):
    """Days up to today, oldest first, those without anything included."""

    time_zone: str
    items: tuple[DayView, ...]


class PartView(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one account, key or model.

    Attributes:
        id: Of the account or key; null for a model, and where there was none.
        name: What it is called; null when it is gone.
    """

    id: int | None
    name: str | None
    on_day: CountsView
    total: CountsView


class PartsView(msgspec.Struct, frozen=True, kw_only=True):
    """The figures told apart, the busiest first.

    Attributes:
        parts: How many there are; those behind the limit are left out.
    """

    time_zone: str
    day: date
    parts: int
    items: tuple[PartView, ...]


def statistics_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers."""

    @get(f"{PREFIX}/statistics", tags=["statistics"])
    async def show_statistics(
        day: FromQuery[date | None] = None, account_id: OptionalId = None, key_id: OptionalId = None, model: Word = None
    ) -> StatisticsView:
        """Figures of a day (today without one) and since the beginning, of everything or of one account, key or model."""
        scope = Scope(account_id=account_id, key_id=key_id, model=model)
        day = day or doors.statistics.today()
        on_day = (await doors.statistics.on(day, scope=scope)).get("", _NOTHING)
        total = (await doors.statistics.totals(scope=scope)).get("", _NOTHING)
        return StatisticsView(time_zone=_zone(doors), day=day, on_day=counts_view(on_day), total=counts_view(total))

    @get(f"{PREFIX}/statistics/days", tags=["statistics"])
    async def list_days(
        days: Annotated[int, QueryParameter(ge=1, le=MOST_DAYS)] = 30,
        account_id: OptionalId = None,
        key_id: OptionalId = None,
        model: Word = None,
    ) -> DaysView:
        """Figures day by day, so many days up to today."""
        each = await doors.statistics.days(days, Scope(account_id=account_id, key_id=key_id, model=model))
        shown = tuple(DayView(day=one.day, counts=counts_view(one.counts)) for one in each)
        return DaysView(time_zone=_zone(doors), items=shown)

    @get(list(_PARTS), tags=["statistics"])
    async def list_parts(request: HttpRequest, day: FromQuery[date | None] = None, limit: Limit = 100) -> PartsView:
        """Figures of each account, key or model, of a day (today without one) and since the beginning."""
        by = _PARTS[request.scope["path"].rstrip("/")]
        day = day or doors.statistics.today()
        on_day, total = await doors.statistics.on(day, by), await doors.statistics.totals(by)
        busiest = sorted(total, key=lambda who: (-total[who].succeeded - total[who].errors, str(who)))
        names = await _names(doors, by)
        items = tuple(_part(doors, who, names, on_day.get(who, _NOTHING), total[who], by) for who in busiest[:limit])
        return PartsView(time_zone=_zone(doors), day=day, parts=len(total), items=items)

    return [show_statistics, list_days, list_parts]


def _zone(doors: AdminDoors) -> str:
    return str(doors.statistics.zone)


async def _names(doors: AdminDoors, by: Dimension) -> Mapping[int, str]:
    return {key.id: key.name for key in await doors.keys.all()} if by is Dimension.KEY else {}


def _part(
    doors: AdminDoors, who: str | int, names: Mapping[int, str], on_day: Counts, total: Counts, by: Dimension
) -> PartView:
    if isinstance(who, str):
        return PartView(id=None, name=who or None, on_day=counts_view(on_day), total=counts_view(total))
    name = names.get(who)
    if by is Dimension.ACCOUNT:
        account = doors.account_of(who)
        name = None if account is None else account.email or account.name
    return PartView(id=who or None, name=name, on_day=counts_view(on_day), total=counts_view(total))
