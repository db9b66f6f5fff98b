"""``flow2api stats``."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime

import click
import msgspec

from flow2api.cli.context import Installation, json_option, with_installation
from flow2api.cli.output import print_json, print_table
from flow2api.cli.records import Records, opened_records
from flow2api.documents.statistics import CountsView, counts_view
from flow2api.domain.ports.statistics import Figures
from flow2api.domain.statistics import Counts, Dimension

_COUNTED = ("PICTURES", "VIDEOS", "DONE", "FAILED", "CANCELLED", "REFUSED", "GOOD", "MEDIAN", "95 %")
_NOBODY = {Dimension.ACCOUNT: "no account", Dimension.KEY: "no key", Dimension.MODEL: "no model"}


class PartOut(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one account, key or model.

    Attributes:
        id: Of the account or key; null for a model, and where there was none.
        name: What it is called; null when it is gone.
    """

    id: int | None
    name: str | None
    today: CountsView
    total: CountsView


@click.command()
@click.option("--by", type=click.Choice([one.value for one in Dimension]), help="Tell them apart.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Of this day, in place of today.")
@click.option("--days", type=click.IntRange(1, 1000), help="Day by day, so many of them up to today.")
@json_option
@with_installation
def stats(here: Installation, by: str | None, day: datetime | None, days: int | None, as_json: bool) -> None:
    """Show what was made, how often it failed and how long it took: today, and since the beginning.

    Days are those of the option `time_zone`. Times are of generations that ended well, waiting included.

    JSON: {"time_zone": "Europe/Berlin", "day": "2026-11-23", "today": {...}, "total": {...}}; with --by
    {"parts": [...]} in place of the figures, with --days {"days": [{"day": ..., "counts": {...}}]}.
    """
    if days is not None and (by is not None or day is not None):
        raise click.UsageError("Say --days alone; one day can be told apart with --day and --by.")
    asyncio.run(_show(here, None if by is None else Dimension(by), None if day is None else day.date(), days, as_json))


async def _show(here: Installation, by: Dimension | None, day: date | None, days: int | None, as_json: bool) -> None:
    async with opened_records(here) as records:
        statistics = records.recording.statistics
        zone = str(statistics.zone)
        if days is not None:
            each = [(one.day, one.counts) for one in await statistics.days(days)]
            _show_days(each, zone, as_json=as_json)
            return
        day = day or statistics.today()
        on_day, total = await statistics.on(day, by), await statistics.totals(by)
        names = await _names(records, by)
    if by is not None:
        _show_parts(by, (day, zone), on_day, total, names, as_json=as_json)
        return
    here_today, ever = on_day.get("", Counts()), total.get("", Counts())
    if as_json:
        print_json({"time_zone": zone, "day": day, "today": counts_view(here_today), "total": counts_view(ever)})
    else:
        print_table(("", *_COUNTED), [(f"{day}", *_cells(here_today)), ("in all", *_cells(ever))], empty="")


def _show_days(each: Sequence[tuple[date, Counts]], zone: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"time_zone": zone, "days": [{"day": day, "counts": counts_view(counts)} for day, counts in each]})
    else:
        print_table(("DAY", *_COUNTED), [(f"{day}", *_cells(counts)) for day, counts in each], empty="")


def _show_parts(
    by: Dimension,
    when: tuple[date, str],
    on_day: Figures,
    total: Figures,
    names: Mapping[int, str],
    *,
    as_json: bool,
) -> None:
    day, zone = when
    busiest = sorted(total, key=lambda who: (-total[who].succeeded - total[who].errors, str(who)))
    if as_json:
        parts = [_part(who, on_day.get(who, Counts()), total[who], names) for who in busiest]
        print_json({"time_zone": zone, "day": day, "parts": parts})
        return
    rows = [
        (
            _called(by, who, names),
            total[who].images,
            total[who].videos,
            total[who].errors,
            *_cells(on_day.get(who, Counts())),
        )
        for who in busiest
    ]
    headings = (by.value.upper(), "PICTURES IN ALL", "VIDEOS IN ALL", "FAILED IN ALL", *_COUNTED)
    print_table(headings, rows, empty="Nothing was counted yet.")


def _part(who: str | int, on_day: Counts, total: Counts, names: Mapping[int, str]) -> PartOut:
    is_model = isinstance(who, str)
    return PartOut(
        id=None if isinstance(who, str) else who or None,
        name=(str(who) or None) if is_model else names.get(int(who)),
        today=counts_view(on_day),
        total=counts_view(total),
    )


def _called(by: Dimension, who: str | int, names: Mapping[int, str]) -> str:
    if not who:
        return _NOBODY[by]
    return who if isinstance(who, str) else f"{who} {names.get(who, '(gone)')}"


async def _names(records: Records, by: Dimension | None) -> Mapping[int, str]:
    if by is Dimension.ACCOUNT:
        return await records.account_names()
    return await records.key_names() if by is Dimension.KEY else {}


def _cells(counts: Counts) -> tuple[object, ...]:
    rate = counts.success_rate
    return (
        counts.images,
        counts.videos,
        counts.succeeded,
        counts.errors,
        counts.cancelled,
        counts.refused,
        None if rate is None else f"{rate * 100:.1f} %",
        _seconds(counts.percentile_s(0.5)),
        _seconds(counts.percentile_s(0.95)),
    )


def _seconds(seconds: float | None) -> str | None:
    return None if seconds is None else f"{seconds:.1f} s"
