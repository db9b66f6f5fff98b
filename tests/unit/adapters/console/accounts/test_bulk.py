"""What is asked of many accounts is read from forms, and what came of it is told in words."""

import pytest

from flow2api.adapters.console.accounts.bulk import ASKED, AT_ONCE, action_of, back_to, change_of, report_of, split_tags
from flow2api.adapters.console.accounts.narrowing import Narrowing
from flow2api.adapters.console.forms import Form
from flow2api.domain.media import MediaKind
from flow2api.domain.usecases.act_on_accounts import BulkAction, BulkFailure, BulkRun
from flow2api.domain.usecases.change_account import AccountChange
from flow2api.testing.fakes.clock import START


def run(**fields: object) -> BulkRun:
    made = BulkRun(7, BulkAction.TEST, 3, "ada", START)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_every_button_has_an_action() -> None:
    assert {action_of(do) for do in (*AT_ONCE, *ASKED)} == set(BulkAction) - {BulkAction.UNDO}


def test_limits_are_set_where_a_box_is_ticked() -> None:
    form = Form(values={"image": "", "image_change": "on", "video": "", "weight": "5"})

    assert change_of("limits", form) == AccountChange(limits={MediaKind.IMAGE: None}, weight=5)
    assert not form.errors


def test_number_without_its_box_is_told() -> None:
    form = Form(values={"image": "4"})
    change_of("limits", form)

    assert form.error("image")


def test_tags_come_with_commas_or_blanks() -> None:
    assert split_tags(" a, b  c,") == {"a", "b", "c"}
    assert change_of("tag", Form(values={"add": "a", "remove": "b"})) == AccountChange(
        added_tags=frozenset({"a"}), removed_tags=frozenset({"b"})
    )


def test_deleting_changes_nothing_else() -> None:
    assert change_of("delete", Form()) == AccountChange()


@pytest.mark.parametrize("action", list(BulkAction))
def test_report_has_a_title_while_it_goes_on_and_after(action: BulkAction) -> None:
    assert report_of(run(action=action)).title != report_of(run(action=action, ended_at=START)).title


def test_report_counts_and_names_the_first_failures() -> None:
    failures = [BulkFailure(number, f"a{number}", "conflict", "No.") for number in range(12)]

    under_way = report_of(run(done=1))
    failed = report_of(run(total=20, done=8, failed=12, failures=failures, ended_at=START))
    fine = report_of(run(done=3, ended_at=START))

    assert (under_way.kind, under_way.sentence) == ("info", "1 of 3 done so far, 0 failed.")
    assert (failed.kind, len(failed.failures), failed.more) == ("warn", 10, 2)
    assert (fine.kind, fine.sentence) == ("ok", "It went well for all 3 accounts.")


def test_list_is_led_back_to_with_the_report() -> None:
    assert back_to(Narrowing()) == "/console/accounts"
    assert back_to(Narrowing(), run()) == "/console/accounts?run=7"
    assert back_to(Narrowing(q="a"), run()) == "/console/accounts?q=a&run=7"
