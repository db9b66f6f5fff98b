"""Accounts as JSON: how they stand now, with every reason for rest."""

from datetime import timedelta

import msgspec

from flow2api.documents.accounts import account_view, whole_account
from flow2api.testing import samples

NOW = samples.NOW


def test_account_tells_what_keeps_it_from_work_now() -> None:
    shown = account_view(samples.whole_account(), NOW)

    assert (shown.status, shown.reason, shown.until) == ("disabled", "manual", None)
    assert (shown.tier, shown.image_slots, shown.video_slots, shown.tags) == ("ultra", 4, 0, ("a", "b"))


def test_reason_that_is_over_is_told_and_holds_no_more() -> None:
    later = whole_account(samples.whole_account(), NOW + timedelta(hours=1))

    assert [(one.reason, one.holds) for one in later.rests] == [("manual", True), ("rate_limited", False)]
    assert later.streaks == {"upload": 2, "any": 1}


def test_plain_account_rests_for_no_reason() -> None:
    shown = account_view(samples.account_of("studio"), NOW)

    assert (shown.status, shown.reason, shown.call, shown.why, shown.until) == ("active", None, None, None, None)


def test_whole_account_is_an_account_with_more_fields() -> None:
    account = samples.whole_account()
    short = msgspec.to_builtins(account_view(account, NOW))

    assert short.items() <= msgspec.to_builtins(whole_account(account, NOW)).items()
