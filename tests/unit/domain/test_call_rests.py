"""Who fails at what is known without a scan."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.account import Account, CallKind, RestReason
from flow2api.domain.call_rests import CallRests
from flow2api.testing.factories import AccountFactory
from flow2api.testing.fakes.clock import START


def failing(account_id: int, call: CallKind | None, reason: RestReason = RestReason.ERROR_STREAK) -> Account:
    return AccountFactory.build(id=account_id).resting(reason, START, call=call)


def test_names_those_who_fail_at_a_call_and_nobody_else() -> None:
    rests = CallRests()
    for account in (
        failing(1, CallKind.PICTURE),
        failing(2, None),
        failing(3, CallKind.UPLOAD),
        failing(4, CallKind.ENLARGEMENT, RestReason.QUOTA),
        failing(5, None, RestReason.RATE_LIMITED),
        AccountFactory.build(id=6),
    ):
        rests.change(None, account)
    assert sorted(rests.of("flow", CallKind.PICTURE)) == [1, 2]
    assert sorted(rests.of("flow", CallKind.VIDEO)) == [2]
    assert rests.of("flow", CallKind.UPLOAD) == [3]
    assert rests.of("flow", CallKind.ENLARGEMENT) == [4]
    assert rests.of("other", CallKind.PICTURE) == ()


def test_draws_some_of_very_many() -> None:
    rests = CallRests()
    for number in range(1000):
        rests.change(None, failing(number, CallKind.PICTURE))
    drawn = {one for _ in range(50) for one in rests.sample("flow", CallKind.PICTURE, Random(1), 8)}
    assert len(rests.sample("flow", CallKind.PICTURE, Random(1), 8)) == 8
    assert drawn <= set(range(1000))


@given(st.lists(st.tuples(st.integers(1, 5), st.sampled_from([None, *CallKind]), st.booleans()), max_size=60))
def test_agrees_with_a_scan(steps: list[tuple[int, CallKind | None, bool]]) -> None:
    rests, known = CallRests(), dict[int, Account]()
    for account_id, call, is_gone in steps:
        after = None if is_gone else failing(account_id, call)
        rests.change(known.get(account_id), after)
        known.pop(account_id, None)
        if after is not None:
            known[account_id] = after
        for asked in CallKind:
            makes = asked in (CallKind.PICTURE, CallKind.VIDEO)
            scan = [one.id for one in known.values() if one.rests[0].call in ((asked, None) if makes else (asked,))]
            assert sorted(rests.of("flow", asked)) == sorted(scan)
