"""What the pages of an import show."""

import asyncio
import csv
import io
from bisect import bisect_left, bisect_right
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flow2api.adapters.console.language import gettext, retold
from flow2api.domain.request_log import csv_safe
from flow2api.domain.usecases.import_accounts import RowFate, RowOutcome
from flow2api.domain.usecases.run_imports import AccountImport, ImportPhase

IMPORT_PATH = "/console/accounts/import"
ROWS = 50

_REPORT = ("line", "result", "account", "changed", "problem")
_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class RowView:
    """What becomes of one row.

    Attributes:
        words: The fields that it changes, in the page's language.
    """

    row: int
    fate: str
    subject: str
    ending: str
    account_id: int | None
    words: str
    problem: str


@dataclass(frozen=True, slots=True)
class RunView:
    """An import: what would become of its rows, how far it is, or what came of it.

    Attributes:
        counts: How many rows have each fate.
        show: The fate whose rows are shown; None for all.
        rows: Those of this page.
        before: Where the page before this one is; empty for none.
        behind: Where the next one is.
        to_store: How many accounts would be added or changed.
        last: The number of the last row.
    """

    id: str
    phase: ImportPhase
    is_at_work: bool
    source: str
    unit: str
    done: int
    total: int
    counts: dict[str, int]
    show: str
    rows: Sequence[RowView]
    before: str
    behind: str
    to_store: int
    fault: str


def view_of(one: AccountImport, show: str, after: int, before: int, fault: str) -> RunView:
    """The page of an import.

    Args:
        show: The fate whose rows are wanted; anything else for all of them.
        after: The rows behind this one.
        before: If not 0, the rows before this one in place of that.
    """
    fates = {fate.value for fate in RowFate}
    show = show if show in fates else ""
    # While it goes on, the table would only flicker.
    among = [] if one.is_at_work else _among(one.outcomes, show)
    numbers = [outcome.row for outcome in among]
    if before:
        end = bisect_left(numbers, before)
        start = max(0, end - ROWS)
    else:
        start = bisect_right(numbers, after)
        end = start + ROWS
    rows = among[start:end]
    return RunView(
        id=one.id,
        phase=one.phase,
        is_at_work=one.is_at_work,
        source=one.source,
        unit=one.unit,
        done=one.done,
        total=one.total,
        counts={fate.value: one.counts[fate] for fate in RowFate},
        show=show,
        rows=[_row(outcome) for outcome in rows],
        before=run_path(one.id, show, before=rows[0].row) if rows and start > 0 else "",
        behind=run_path(one.id, show, after=rows[-1].row) if rows and end < len(among) else "",
        to_store=one.counts[RowFate.NEW] + one.counts[RowFate.UPDATE],
        fault=fault,
    )


def run_path(import_id: str, show: str = "", **place: int) -> str:
    """The address of an import's page."""
    query = {"run": import_id, "show": show, **place}
    return f"{IMPORT_PATH}?{urlencode({name: value for name, value in query.items() if value})}"


def words_for(changed: Iterable[str]) -> str:
    """The fields that a row changes, in the page's language."""
    words = {
        "secret": gettext("what it signs in with"),
        "name": gettext("name"),
        "email": gettext("e-mail address"),
        "remark": gettext("remark"),
        "tags": gettext("tags"),
        "weight": gettext("weight"),
        "priority": gettext("priority"),
        "proxy": gettext("proxy"),
        "base_url": gettext("base URL"),
        "capacity": gettext("slots"),
        "rests": gettext("whether it is switched on"),
    }
    return ", ".join(words[name] for name in changed)


async def report(outcomes: Sequence[RowOutcome], show: str) -> AsyncIterator[bytes]:
    """What became of each row, as a table that no spreadsheet takes for formulas."""
    yield _lines([_REPORT])
    among = _among(outcomes, show)
    for start in range(0, len(among), _ROWS_AT_ONCE):
        yield _lines(
            (one.row, one.fate.value, csv_safe(one.subject), " ".join(one.changed), csv_safe(one.problem))
            for one in among[start : start + _ROWS_AT_ONCE]
        )
        await asyncio.sleep(0)


def _row(one: RowOutcome) -> RowView:
    return RowView(
        one.row,
        one.fate.value,
        one.subject,
        one.ending,
        one.account_id,
        words_for(one.changed),
        retold(one.problem) if one.problem else "",
    )


def _among(outcomes: Sequence[RowOutcome], show: str) -> Sequence[RowOutcome]:
    return [one for one in outcomes if one.fate.value == show] if show else outcomes


def _lines(rows: Iterable[Sequence[object]]) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode()
