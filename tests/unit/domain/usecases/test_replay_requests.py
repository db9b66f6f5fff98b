"""A day's requests, replayed in time of their own."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from flow2api.domain.account import Account, Capacity, Rest, RestReason
from flow2api.domain.catalog import ModelCatalog
from flow2api.domain.media import MediaKind
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import PastRequest
from flow2api.domain.replay import Replay
from flow2api.domain.selection import SelectionPolicy
from flow2api.domain.usecases.replay_requests import ReplayRequests, _Time
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.plugins.policies import FillFirst, RoundRobin, Sticky
from flow2api.testing.factories import AccountFactory, picture_spec
from flow2api.testing.fakes.clock import START

ONE, MANY = Capacity(image=1), Capacity(image=9)
CATALOG = ModelCatalog([picture_spec()])


def past(at_s: float, held_s: float | None = 10.0, key_id: int = 1, spec: str = "paint") -> PastRequest:
    return PastRequest(START + timedelta(seconds=at_s), spec, key_id, None, held_s)


async def in_batches(requests: Sequence[PastRequest]) -> AsyncIterator[Sequence[PastRequest]]:
    for start in range(0, len(requests), 3):
        yield requests[start : start + 3]


async def replayed(
    requests: Sequence[PastRequest],
    policy: SelectionPolicy,
    *,
    accounts: Sequence[Account] = (),
    tag: str | None = None,
    **options: float,
) -> Replay:
    pool = accounts or [AccountFactory.build(id=n, capacity=ONE) for n in (1, 2)]
    settings = Options(**options)  # type: ignore[arg-type]
    replay = ReplayRequests(pool, MemorySlots(), CATALOG, settings, lambda key_id: tag, START)
    return await replay("tried", policy, in_batches(requests))


async def test_requests_that_come_apart_wait_for_nobody() -> None:
    accounts = [AccountFactory.build(id=n, capacity=MANY) for n in (1, 2)]
    found = await replayed([past(n * 20) for n in range(10)], RoundRobin(), accounts=accounts)
    assert (found.served, found.waited, found.failures) == (10, 0, {})
    assert (found.wait_p50_s, found.wait_p95_s, found.most, found.least, found.gini) == (0.0, 0.0, 5, 5, 0.0)


async def test_policies_differ_in_how_they_spread() -> None:
    accounts = [AccountFactory.build(id=n, capacity=MANY) for n in (1, 2)]
    found = await replayed([past(n * 20) for n in range(10)], FillFirst(), accounts=accounts)
    assert (found.used, found.most, found.least, found.gini) == (1, 10, 0, 0.5)
    by_key = await replayed([past(n * 20, key_id=n % 2) for n in range(10)], Sticky())
    assert by_key.served == 10


async def test_requests_that_come_together_wait_as_long_as_the_work_takes() -> None:
    found = await replayed([past(0.0) for _ in range(6)], RoundRobin())
    assert (found.served, found.waited) == (6, 4)
    assert (found.wait_p50_s, found.wait_max_s) == (10.0, 20.0)


async def test_who_would_wait_too_long_fails() -> None:
    found = await replayed([past(0.0, 40.0) for _ in range(8)], RoundRobin(), image_wait_s=60.0)
    assert (found.served, found.failures) == (4, {"rate_limit_exceeded": 4})
    refused = await replayed([past(0.0) for _ in range(8)], RoundRobin(), image_wait_s=0.0)
    assert (refused.served, refused.failures) == (2, {"rate_limit_exceeded": 6})
    crowded = await replayed([past(0.0) for _ in range(8)], RoundRobin(), waiting_limit=1)
    assert crowded.served == 3


async def test_request_that_got_no_account_then_holds_one_as_long_as_others_do() -> None:
    found = await replayed([past(0.0, 30.0), past(0.0, 30.0), past(1.0, None), past(2.0)], RoundRobin())
    assert found.wait_max_s == pytest.approx(29.0)


async def test_only_accounts_that_were_switched_off_stay_away() -> None:
    rests = [Rest(RestReason.MANUAL, START), Rest(RestReason.RATE_LIMITED, START, START + timedelta(hours=9))]
    pool = [AccountFactory.build(id=n, rests=(rest,)) for n, rest in enumerate(rests)]
    found = await replayed([past(n) for n in range(4)], RoundRobin(), accounts=pool)
    assert (found.served, found.used, found.accounts) == (4, 1, 2)


async def test_keys_keep_to_their_tag_and_models_that_are_gone_are_counted() -> None:
    found = await replayed([past(0.0), past(1.0, spec="gone")], RoundRobin(), tag="eu")
    assert found.failures == {"no_account_available": 1, "model_not_found": 1}


async def test_empty_day_has_no_figures() -> None:
    found = await replayed([], RoundRobin())
    assert (found.requests, found.served, found.wait_p95_s, found.gini) == (0, 0, 0.0, 0.0)


class BrokenSlots(MemorySlots):
    """Breaks when it is asked a third time."""

    asked = 0

    def take_now(self, account_id: int, kind: MediaKind, limit: int | None) -> str | None:
        self.asked += 1
        if self.asked == 3:
            raise LookupError("a plugin's mistake")
        return super().take_now(account_id, kind, limit)


async def test_wait_that_breaks_is_counted_by_its_error_and_the_replay_goes_on() -> None:
    pool = [AccountFactory.build(id=1, capacity=Capacity(image=2))]
    replay = ReplayRequests(pool, BrokenSlots(), CATALOG, Options(), lambda key_id: None, START)
    found = await replay("tried", RoundRobin(), in_batches([past(0.0) for _ in range(4)]))
    assert (found.served, found.failures) == (3, {"LookupError": 1})


async def test_nobody_can_sleep_while_time_stands_still() -> None:
    with pytest.raises(NotImplementedError):
        await _Time(START).sleep(1.0)
