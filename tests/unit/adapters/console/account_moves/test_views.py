"""The pages of an import from what is known of it."""

import pytest

from flow2api.adapters.console.account_moves.views import ROWS, report, run_path, view_of, words_for
from flow2api.domain.usecases.import_accounts import RowFate, RowOutcome
from flow2api.domain.usecases.run_imports import AccountImport, ImportPhase
from flow2api.testing.fakes.clock import START


def an_import(many: int, phase: ImportPhase = ImportPhase.READY) -> AccountImport:
    one = AccountImport("imp_1", 1, "file.csv", START, phase=phase)
    for number in range(1, many + 1):
        one.tell(RowOutcome(number * 2, RowFate.INVALID if number % 10 == 0 else RowFate.NEW, subject=f"a{number}"))
    return one


def test_pages_lead_on_and_back() -> None:
    one = an_import(120)

    first = view_of(one, "", 0, 0, "")
    second = view_of(one, "", first.rows[-1].row, 0, "")
    back = view_of(one, "", 0, second.rows[0].row, "")

    assert [row.row for row in first.rows] == [number * 2 for number in range(1, ROWS + 1)]
    assert (first.before, first.behind) == ("", run_path("imp_1", after=100))
    assert (second.before, second.behind) == (run_path("imp_1", before=102), run_path("imp_1", after=200))
    assert [row.row for row in back.rows] == [row.row for row in first.rows]
    assert view_of(one, "", 200, 0, "").behind == ""


def test_rows_of_one_fate_are_shown_alone() -> None:
    view = view_of(an_import(40), "invalid", 0, 0, "")

    assert [row.row for row in view.rows] == [20, 40, 60, 80]
    assert (view.show, view.counts["invalid"], view.to_store) == ("invalid", 4, 36)


@pytest.mark.parametrize(("show", "after"), [("<script>", 0), ("", 10**8)])
def test_address_that_makes_no_sense_shows_something_harmless(show: str, after: int) -> None:
    view = view_of(an_import(3), show, after, 0, "")

    assert view.show == ""
    assert len(view.rows) == (0 if after else 3)
    assert (view.before, view.behind) == ("", "")


def test_rows_of_an_import_at_work_are_not_shown() -> None:
    view = view_of(an_import(3, ImportPhase.RUNNING), "", 0, 0, "")

    assert (view.is_at_work, list(view.rows)) == (True, [])


def test_every_field_that_an_import_changes_has_words() -> None:
    fields = (
        "secret",
        "name",
        "email",
        "remark",
        "tags",
        "weight",
        "priority",
        "proxy",
        "base_url",
        "capacity",
        "rests",
    )

    assert words_for(("secret", "tags")) == "what it signs in with, tags"
    assert len(words_for(fields).split(", ")) == len(fields)


async def test_report_has_no_cell_that_is_a_formula() -> None:
    one = an_import(0)
    one.tell(RowOutcome(2, RowFate.INVALID, subject="=cmd()", problem="@bad"))
    one.tell(RowOutcome(3, RowFate.UPDATE, subject="b", changed=("secret", "tags")))

    text = b"".join([part async for part in report(one.outcomes, "")]).decode()

    assert text.splitlines() == [
        "line,result,account,changed,problem",
        "2,invalid,'=cmd(),,'@bad",
        "3,update,b,secret tags,",
    ]


async def test_long_report_comes_in_parts() -> None:
    parts = [part async for part in report(an_import(1200).outcomes, "")]

    assert len(parts) == 4
    assert len(b"".join(parts).splitlines()) == 1201
