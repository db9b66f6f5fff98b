"""Who serves when most of the pool fails, and what it costs to find out."""

from random import Random

import pytest

from flow2api.domain import chooser
from flow2api.domain.account import CallKind, RestReason, Tier
from flow2api.domain.lease import AccountPool
from flow2api.domain.least_bad import LOOKED_AT, is_in_need, least_bad
from flow2api.domain.media import MediaKind
from flow2api.domain.ready_set import ReadyAccounts
from flow2api.domain.selection import Candidate, Need
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.plugins.policies import FillFirst
from flow2api.testing.factories import AccountFactory, picture_spec
from flow2api.testing.fakes.clock import START, FakeClock

NEED = Need(picture_spec())


def failing(account_id: int, steps: int = 1, **fields: object) -> Candidate:
    account, at = AccountFactory.build(id=account_id, **fields), START
    for _ in range(steps):
        account = account.faulted(at, threshold=1, call=CallKind.PICTURE)
        at = account.rests[0].until or at
    return Candidate(account)


def standing(**reasons: int) -> ReadyAccounts:
    """A set with so many accounts refused for each reason, and one ready one for each ``ready``."""
    ready, number = ReadyAccounts(), 0
    for reason, count in reasons.items():
        for _ in range(count):
            number += 1
            ready.stand(Candidate(AccountFactory.build(id=number)), None if reason == "ready" else reason)
    return ready


@pytest.mark.parametrize(
    ("reasons", "is_needed"),
    [
        ({}, False),
        ({"error_streak": 1}, True),
        ({"error_streak": 1, "busy": 1}, False),
        ({"error_streak": 2, "busy": 1}, True),
        ({"error_streak": 2, "ready": 2}, False),
        ({"error_streak": 2, "no_tier": 50, "no_tag": 50, "switched_off": 50}, True),
        ({"rate_limited": 5}, False),
    ],
)
def test_need_is_when_over_half_of_those_of_the_kind_fail(reasons: dict[str, int], is_needed: bool) -> None:
    assert is_in_need(standing(**reasons)) is is_needed


def test_takes_the_one_that_had_to_rest_least_often() -> None:
    chosen = least_bad([failing(1, 3), failing(2, 1), failing(3, 2)], NEED, START)
    assert chosen is not None
    assert chosen.account.id == 2


def test_passes_by_who_is_at_work_or_has_something_else_against_it() -> None:
    busy, suspended, unreachable = failing(1), failing(2), failing(5)
    busy.images = 1
    unreachable.has_way = False
    assert least_bad([unreachable], NEED, START) is None
    suspended.account = suspended.account.resting(RestReason.AUTH_EXPIRED, START)
    grand = Need(picture_spec(min_tier=Tier.ULTRA))
    assert least_bad([busy, suspended], NEED, START) is None
    assert least_bad([failing(3, tier=Tier.FREE)], grand, START) is None


async def test_looks_at_a_few_of_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, looked_at = AccountPool(MemorySlots(), FakeClock(), Random(1)), list[int]()
    for number in range(2000):
        pool.put(failing(number).account)

    def counted(candidates: list[Candidate], *args: object) -> Candidate | None:
        looked_at.append(len(candidates))
        return least_bad(candidates, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(chooser, "least_bad", counted)
    served = {(await pool.acquire(NEED, FillFirst())).account_id for _ in range(50)}
    assert looked_at == [LOOKED_AT] * 50
    assert len(served) == 50
    assert all(pool.load_of(one, MediaKind.IMAGE) == 1 for one in served)
