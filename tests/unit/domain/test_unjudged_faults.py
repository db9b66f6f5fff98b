"""Faults that nobody could judge are remembered for an hour."""

from flow2api.domain.unjudged_faults import UnjudgedFaults


def test_latest_fault_of_each_account_is_remembered() -> None:
    unjudged = UnjudgedFaults()
    for account_id, at, why in ((1, 0.0, "first"), (2, 1.0, "other"), (1, 2.0, "second")):
        unjudged.note(account_id, at, why)
    assert sorted(unjudged.accounts(10.0)) == [1, 2]
    assert unjudged.forget(1) == "second"
    assert unjudged.forget(1) is None
    assert list(unjudged.accounts(10.0)) == [2]


def test_fault_of_more_than_an_hour_ago_is_forgotten() -> None:
    unjudged = UnjudgedFaults()
    unjudged.note(1, 0.0, "long ago")
    assert list(unjudged.accounts(3600.0)) == [1]
    assert not list(unjudged.accounts(3601.0))
    assert unjudged.forget(1) is None
