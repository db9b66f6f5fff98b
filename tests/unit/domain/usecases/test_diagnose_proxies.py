"""The doctor says of proxies what keeps calls from getting through, and calls none of them."""

from dataclasses import replace
from typing import Any

import pytest

from flow2api.domain.options import Options
from flow2api.domain.proxy import DIRECT
from flow2api.domain.usecases.diagnose import CheckState, Finding
from flow2api.domain.usecases.diagnose_proxies import judge_proxies, why_no_way
from flow2api.testing.samples import account_of, credentials_of
from tests.unit.domain.usecases.test_choose_proxy import Site

OK, WARN, FAIL = CheckState.OK, CheckState.WARN, CheckState.FAIL


async def site(*names: str, down: tuple[str, ...] = (), pool: str | None = None) -> Site:
    made = Site()
    await made.add(*names, pool=pool)
    now = made.clock.now()
    await made.storage.proxies.note_health(
        {one.id: one.health.failed(now, "Closed.", is_certain=True) for one in made.choose.all() if one.name in down}
    )
    return made


async def judged(made: Site, **options: Any) -> Finding:
    return await judge_proxies(made.storage, Options(**options))


async def test_without_proxies_calls_go_direct() -> None:
    assert (await judged(await site())).state is OK
    assert (await judged(await site(), proxy=DIRECT)).state is OK


@pytest.mark.parametrize("option", ["proxy", "media_proxy"])
async def test_option_that_names_no_proxy_is_a_fault(option: str) -> None:
    found = await judged(await site("one"), **{option: "two"})

    assert found.state is FAIL
    assert f"the option {option} should use" in found.sentence


async def test_accounts_whose_pool_is_not_there_are_counted() -> None:
    made = await site("one")
    for number in (1, 2):
        await made.storage.accounts.add([(replace(account_of(f"a{number}"), proxy="eu"), credentials_of(f"a{number}"))])

    assert "'eu', which 2 accounts should use" in (await judged(made)).sentence


async def test_pool_of_which_none_works_is_a_fault_and_one_of_which_some_work_a_warning() -> None:
    assert (await judged(await site("one", "two", down=("one", "two"), pool="eu"), proxy="eu")).state is FAIL

    found = await judged(await site("one", "two", down=("one",), pool="eu"), proxy="eu")
    assert (found.state, found.sentence) == (WARN, "1 of 2 proxies is down: one.")


@pytest.mark.parametrize("falls_back", [True, False])
async def test_who_goes_direct_is_told_when_all_is_well(falls_back: bool) -> None:
    found = await judged(await site("one"), proxy="one", proxy_direct_fallback=falls_back)

    assert found.state is OK
    assert ("go direct" in found.sentence) is falls_back


@pytest.mark.parametrize(
    ("own", "options", "told"),
    [
        (None, {}, None),
        (DIRECT, {"proxy": "gone"}, None),
        ("one", {}, None),
        ("dead", {"proxy_direct_fallback": True}, None),
        ("dead", {}, "No proxy of 'dead' works, which it has to use."),
        (None, {"proxy": "dead"}, "No proxy of 'dead' works, which it has to use."),
        ("gone", {"proxy": "one"}, "There is no proxy 'gone' for it."),
    ],
)
async def test_tells_why_an_account_has_no_way_to_the_service(
    own: str | None, options: dict[str, Any], told: str | None
) -> None:
    made = await site("one", "dead", down=("dead",))

    assert await why_no_way(made.storage, Options(**options), replace(account_of("a"), proxy=own)) == told
