"""Lists of accounts in memory: counted by state, narrowed, sorted, and paged through both ways."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.account import Account, Capacity, RestReason, Tier
from flow2api.domain.account_list import AccountListPage, AccountOrder, ListPlace, PoolFilter
from flow2api.domain.account_state import AccountState
from flow2api.domain.errors import AccountNotFoundError, UnsupportedInputError
from flow2api.domain.lease import AccountPool
from flow2api.domain.media import MediaKind
from flow2api.domain.usecases.browse_accounts import BrowseAccounts, FilterValues
from flow2api.domain.usecases.judge_accounts import AT_ONCE, JudgeAccounts
from flow2api.domain.usecases.keep_accounts_counted import LONGEST_S, MANY
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.testing.fakes.clock import START, FakeClock


def account(number: int, **fields: Any) -> Account:
    basis = Account(
        id=number, upstream="flow", name=f"n{number:06}", created_at=START, tier=Tier.PRO, workspace="w",
        access_expires_at=START + timedelta(days=1), capacity=Capacity(1, 0),
    )  # fmt: skip
    return replace(basis, **fields)


class Pool:
    """A pool with what looks through it."""

    def __init__(self, *accounts: Account) -> None:
        self.clock = FakeClock()
        self.pool = AccountPool(MemorySlots(), self.clock)
        self.testing: set[int] = set()
        for one in accounts:
            self.pool.put(one)
        self.browse = BrowseAccounts(JudgeAccounts(self.pool, self.clock, lambda: self.testing))


def ids(page: AccountListPage) -> list[int]:
    return [listed.account.id for listed in page.accounts]


async def test_every_state_is_counted_whichever_is_looked_for() -> None:
    clock = FakeClock()
    here = Pool(account(1), account(2).resting(RestReason.MANUAL, clock.now()), account(3, tier=None))

    page = await here.browse.page(PoolFilter(state=AccountState.PAUSED))

    assert ids(page) == [2]
    assert (page.total, page.first, page.earlier, page.later) == (1, 1, None, None)
    some = {state: count for state, count in page.counts.items() if count}
    assert some == {AccountState.READY: 1, AccountState.PAUSED: 1, AccountState.WARMING: 1}
    assert page.counts.keys() == set(AccountState)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (PoolFilter(text=" ÄRGER "), [1]),
        (PoolFilter(text="lent"), [2]),
        (PoolFilter(text="eu"), [1, 3]),
        (PoolFilter(text="mail.example"), [2]),
        (PoolFilter(text="nobody"), []),
        (PoolFilter(tag="eu"), [1]),
        (PoolFilter(upstream="gemini"), [3]),
        (PoolFilter(proxy="frankfurt"), [2]),
        (PoolFilter(proxy=""), [1, 3]),
        (PoolFilter(tier=Tier.ULTRA), [3]),
        (PoolFilter(upstream="flow", proxy="", state=AccountState.READY), [1]),
    ],
)
async def test_filters_are_met_all_at_once(wanted: PoolFilter, found: list[int]) -> None:
    here = Pool(
        account(1, name="Ärger", tags=frozenset({"eu", "video"})),
        account(2, name="", email="two@mail.example", remark="Lent to Ada", proxy="frankfurt"),
        account(3, name="neu", upstream="gemini", tier=Tier.ULTRA),
    )

    assert sorted(ids(await here.browse.page(wanted))) == found
    assert sorted(await here.browse.matching(wanted)) == found


async def test_what_there_is_to_narrow_by() -> None:
    here = Pool(account(1, tags=frozenset({"b", "a"})), account(2, upstream="gemini", proxy="x"))

    assert await here.browse.filter_values() == FilterValues(["flow", "gemini"], ["a", "b"], ["x"])
    assert await Pool().browse.filter_values() == FilterValues([], [], [])


@pytest.mark.parametrize(
    ("order", "sorted_ids"),
    [
        (AccountOrder.NAME, [3, 1, 2]),
        (AccountOrder.CREDITS, [2, 1, 3]),
        (AccountOrder.LEAST_BUSY, [2, 3, 1]),
        (AccountOrder.BUSIEST, [1, 3, 2]),
        (AccountOrder.STATE, [3, 1, 2]),
    ],
)
async def test_orders(order: AccountOrder, sorted_ids: list[int]) -> None:
    here = Pool(
        account(1, name="b", credits=5, capacity=Capacity(9, 0)),
        account(2, name="", email="C@mail.example", credits=None),
        account(3, name="A", credits=5, tier=None),
    )
    await here.pool.take(1, MediaKind.IMAGE)

    assert ids(await here.browse.page(PoolFilter(), order)) == sorted_ids
    assert ids(await here.browse.page(PoolFilter(), order, descending=True)) == sorted_ids[::-1]


@given(
    st.lists(st.sampled_from([None, 0, 1, 2]), max_size=12),
    st.sampled_from(AccountOrder),
    st.booleans(),
    st.integers(1, 4),
)
async def test_pages_go_there_and_back_and_lose_nobody(
    lefts: list[int | None], order: AccountOrder, descending: bool, limit: int
) -> None:
    names = ["b", "a", "B"]
    here = Pool(*(account(at, name=names[at % 3], credits=left) for at, left in enumerate(lefts, 1)))
    every = ids(await here.browse.page(PoolFilter(), order, descending=descending))
    pages = [await here.browse.page(PoolFilter(), order, descending=descending, limit=limit)]
    while (later := pages[-1].later) is not None:
        place = ListPlace.read(str(later), order)
        pages.append(await here.browse.page(PoolFilter(), order, descending=descending, after=place, limit=limit))

    assert [one for page in pages for one in ids(page)] == every
    assert [page.first for page in pages] == ([*range(1, len(every) + 1, limit)] or [0])
    assert {page.total for page in pages} == {len(every)}
    for former, page in pairwise(pages):
        assert page.earlier is not None
        assert await here.browse.page(PoolFilter(), order, descending=descending, before=page.earlier, limit=limit) == (
            former
        )


async def test_behind_the_last_one_there_is_nobody() -> None:
    here = Pool(account(1))

    page = await here.browse.page(PoolFilter(), after=ListPlace("z", 9))

    assert (ids(page), page.total, page.first, page.earlier, page.later) == ([], 1, 0, None, None)


async def test_page_goes_on_behind_an_account_that_has_gone() -> None:
    here = Pool(*(account(number) for number in range(1, 5)))
    first = await here.browse.page(PoolFilter(), limit=2)
    here.pool.remove(2)

    assert ids(await here.browse.page(PoolFilter(), after=first.later)) == [3, 4]


@pytest.mark.parametrize("written", ["", "5", "x~y", "5~many", "~", "9" * 5000])
def test_place_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(UnsupportedInputError, match="begin with the first page"):
        ListPlace.read(written, AccountOrder.CREDITS)


async def test_change_shows_at_once_and_load_within_a_second() -> None:
    here = Pool(account(1), account(2))
    await here.browse.page(PoolFilter())

    here.pool.put(account(1).resting(RestReason.MANUAL, here.clock.now()))
    await here.pool.take(2, MediaKind.IMAGE)
    here.pool.put(account(3))
    page = await here.browse.page(PoolFilter())

    assert page.counts[AccountState.PAUSED] == 1
    assert page.counts[AccountState.READY] == 2
    assert [listed.images for listed in page.accounts] == [0, 1, 0]
    assert page.accounts[1].standing.state is AccountState.BUSY  # what is shown is judged as it is shown
    here.clock.advance(1)
    assert (await here.browse.page(PoolFilter())).counts[AccountState.BUSY] == 1


async def test_change_that_comes_while_all_are_judged_is_not_lost() -> None:
    here = Pool(*(account(number) for number in range(1, 1200)))
    looking = asyncio.create_task(here.browse.page(PoolFilter()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    here.pool.put(account(1).resting(RestReason.MANUAL, here.clock.now()))
    here.pool.remove(2)

    await looking

    page = await here.browse.page(PoolFilter())
    assert (page.total, page.counts[AccountState.PAUSED]) == (1198, 1)


async def test_test_under_way_shows_at_once() -> None:
    here = Pool(account(1))
    await here.browse.page(PoolFilter())
    here.testing = {1, 404}

    assert (await here.browse.page(PoolFilter())).counts[AccountState.TESTING] == 1
    assert here.browse.standing(1).state is AccountState.TESTING


async def test_account_that_is_not_there_has_no_standing() -> None:
    with pytest.raises(AccountNotFoundError):
        Pool().browse.standing(1)


async def test_large_pool_shows_what_it_was_while_it_is_judged_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    here = Pool(account(1))
    await here.browse.page(PoolFilter())
    slow = iter([0.0, 0.0, 10.0])
    monkeypatch.setattr(here.clock, "monotonic", lambda: next(slow, 25.0))
    register = JudgeAccounts(here.pool, here.clock)
    browse = BrowseAccounts(register)
    await browse.page(PoolFilter())  # took long, so that it is good for long
    await here.pool.take(1, MediaKind.IMAGE)
    monkeypatch.setattr(here.clock, "monotonic", lambda: 600.0)

    looks = await asyncio.gather(*(browse.page(PoolFilter()) for _ in range(3)))
    assert [page.counts[AccountState.READY] for page in looks] == [1, 1, 1]
    await asyncio.sleep(0)
    assert (await browse.page(PoolFilter())).counts[AccountState.BUSY] == 1


@pytest.mark.parametrize("order", [AccountOrder.NAME, AccountOrder.CREDITS, AccountOrder.BUSIEST])
@pytest.mark.parametrize("descending", [False, True])
async def test_pages_of_a_long_list_follow_each_other(order: AccountOrder, descending: bool) -> None:
    here = Pool(*(account(number, name=f"n{number * 7919 % 3001:05}", credits=number % 9) for number in range(1, 3001)))
    whole = ids(await here.browse.page(PoolFilter(), order, descending=descending, limit=150))
    first = await here.browse.page(PoolFilter(), order, descending=descending, limit=50)
    second = await here.browse.page(PoolFilter(), order, descending=descending, limit=50, after=first.later)
    third = await here.browse.page(PoolFilter(), order, descending=descending, limit=50, after=second.later)
    again = await here.browse.page(PoolFilter(), order, descending=descending, limit=50, before=third.earlier)

    assert ids(first) + ids(second) + ids(third) == whole
    assert (ids(again), again.first, again.total) == (ids(second), 51, 3000)


async def test_list_holds_up_nobody() -> None:
    here = Pool(*(account(number) for number in range(1, 20_001)))
    turns, looking = 0, asyncio.create_task(here.browse.page(PoolFilter(text="n0000")))
    while not looking.done():
        turns += 1
        await asyncio.sleep(0)

    assert turns > 50
    assert len(looking.result().accounts) == 50


async def test_many_that_changed_at_once_hold_up_nobody() -> None:
    here = Pool(*(account(number) for number in range(1, 11)))
    await here.browse.page(PoolFilter())
    for number in range(1, 10 * AT_ONCE + 1):
        here.pool.put(account(number, remark="new"))
    turns, looking = 0, asyncio.create_task(here.browse.page(PoolFilter(text="new")))
    while not looking.done():
        turns += 1
        await asyncio.sleep(0)

    assert turns > 10 + 5  # some between the changed, as many as before between the pages of the list
    assert looking.result().total == 10 * AT_ONCE


async def test_first_look_after_a_long_time_does_not_wait_where_many_are_judged_meanwhile() -> None:
    here = Pool(*(account(number) for number in range(1, MANY + 1)))
    register = JudgeAccounts(here.pool, here.clock)
    browse = BrowseAccounts(register)
    await register.judge()
    await here.pool.take(1, MediaKind.IMAGE)
    here.clock.advance(LONGEST_S - 1)

    assert (await browse.page(PoolFilter())).counts[AccountState.BUSY] == 0
    await register.judge()
    assert (await browse.page(PoolFilter())).counts[AccountState.BUSY] == 1


async def test_what_can_be_narrowed_by_follows_every_change_at_once() -> None:
    here = Pool(account(1, tags=frozenset({"a"}), proxy="lab"), account(2, tags=frozenset({"a", "b"})))
    assert await here.browse.filter_values() == FilterValues(["flow"], ["a", "b"], ["lab"])

    here.pool.put(account(1, tags=frozenset({"c"}), credits=5))
    assert await here.browse.filter_values() == FilterValues(["flow"], ["a", "b", "c"], [])

    here.pool.remove(2)
    here.pool.put(account(3, upstream="gemini"))
    assert await here.browse.filter_values() == FilterValues(["flow", "gemini"], ["c"], [])


async def test_account_that_has_left_while_all_were_judged_is_not_listed() -> None:
    here = Pool(*(account(number) for number in range(1, 2 * AT_ONCE)))
    judging = asyncio.create_task(here.browse.page(PoolFilter()))
    await asyncio.sleep(0)
    here.pool.remove(1)
    here.pool.put(account(1, name="again"))
    here.pool.remove(2 * AT_ONCE - 1)
    await judging

    page = await here.browse.page(PoolFilter(text="again"))
    assert (ids(page), page.total) == ([1], 1)
    assert (await here.browse.page(PoolFilter())).total == 2 * AT_ONCE - 2
