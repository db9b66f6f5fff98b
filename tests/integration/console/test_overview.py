"""The page that says whether the pool is well."""

import pytest

from flow2api.domain.account import RestReason
from tests.integration.console.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _fresh(site: Site) -> None:
    """What was remembered of the pool is not good any more."""
    site.services.glance._busy._answers.clear()


async def test_the_verdict_counts_accounts_that_can_work_and_each_problem_has_its_action(site: Site) -> None:
    account_id = await site.account(email="lapsed@example.org")
    pool = site.services.pool
    account = pool.get(account_id)
    assert account is not None
    pool.put(account.resting(RestReason.AUTH_EXPIRED, site.services.clock.now()))
    await _fresh(site)
    try:
        page = await site.owner.see("/console")
        assert "ready</h1>" in page
        assert "1 account has to be signed in anew." in await site.owner.read("/console")
        assert "/console/accounts?state=sign_in_expired" in page
    finally:
        pool.put(account)
        await _fresh(site)


async def test_what_a_page_is_made_of_is_there_without_any_script(site: Site) -> None:
    await site.account()
    await _fresh(site)
    page = await site.operator.see("/console")
    for element in ("verdict", "attention", "kpis", "running", "accounts", "latest"):
        assert page.count(f'id="{element}"') == 1
    assert "Show as table" in page
    assert "Add accounts" in page


@pytest.mark.parametrize(
    ("span", "words"),
    [
        ("1h", "last hour, by quarter hours"),
        ("24h", "last 24 hours, by half hours"),
        ("7d", "last 7 days, by 6 hours"),
        ("30d", "last 30 days, by days"),
        ("<b>", "last 24 hours, by half hours"),
    ],
)
async def test_the_span_stands_in_the_address(site: Site, span: str, words: str) -> None:
    await site.account()
    await _fresh(site)
    page = await site.owner.see(f"/console?span={span}")
    assert words in page
    assert page.count('aria-current="true"') == 1


async def test_viewers_see_nothing_that_they_cannot_use(site: Site) -> None:
    await site.account()
    await _fresh(site)
    page = await site.viewer.see("/console")
    assert "Needs attention" in page
    assert "/console/accounts/add" not in page.split('id="first-steps"')[0]


async def test_names_of_accounts_are_shown_as_text(site: Site) -> None:
    account_id = await site.account()
    pool = site.services.pool
    account = pool.get(account_id)
    assert account is not None
    pool.put(account.__class__(**{**_fields(account), "name": "<img src=x onerror=alert(1)>"}))
    await _fresh(site)
    try:
        page = await site.owner.see("/console")
        assert "<img src=x" not in page
    finally:
        pool.put(account)
        await _fresh(site)


def _fields(account: object) -> dict[str, object]:
    return {name: getattr(account, name) for name in account.__dataclass_fields__}  # type: ignore[attr-defined]


async def test_parts_of_the_page_come_alone_when_htmx_asks(site: Site) -> None:
    headers = {"hx-request": "true", "hx-request-type": "partial", "hx-target": "main#main"}
    whole = await site.owner.see("/console", **headers)
    assert "<!DOCTYPE html>" in whole
