"""What a panel of the console promises."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.account_state import AccountState
from flow2api.domain.panels import PanelSubject, ProxySeen, check_view
from flow2api.domain.ports.panels import Panel
from flow2api.domain.proxy import ProxyState
from flow2api.domain.usecases.show_panels import TIMEOUT_S
from flow2api.testing.factories import AccountFactory
from flow2api.testing.fakes.clock import START

EMPTY = PanelSubject(now=START)
HOSTILE = "<script>alert('%(name)s')</script>\N{RIGHT-TO-LEFT OVERRIDE}"
FULL = PanelSubject(
    now=START,
    account=AccountFactory.build(id=7, name=HOSTILE, email=None, tier=None, credits=None),
    accounts=dict.fromkeys(AccountState, 100_000),
    proxies=[
        ProxySeen(f"{HOSTILE}-{number}"[:64], None if number % 2 else "pool", number % 3 > 0, state, None, None)
        for number in range(100)
        for state in ProxyState
    ],
)


class PanelContract:
    """Everything that a panel promises: subclass it, and define the fixture ``panel``."""

    @pytest.mark.parametrize("subject", [EMPTY, FULL], ids=["empty", "full"])
    async def test_shows_what_the_console_can_draw(self, panel: Panel, subject: PanelSubject) -> None:
        view = await panel.view(subject)

        if view is not None:
            check_view(view)

    async def test_comes_to_its_end_in_time(self, panel: Panel) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            await panel.view(FULL)

    async def test_is_asked_by_many_at_once(self, panel: Panel) -> None:
        views = await asyncio.gather(*(panel.view(FULL) for _ in range(10)))

        assert all(view == views[0] for view in views)

    async def test_is_asked_again_at_another_time_and_about_another_account(self, panel: Panel) -> None:
        later = replace(FULL, now=START + timedelta(days=400), account=AccountFactory.build(id=8))
        for subject in (FULL, later, EMPTY):
            view = await panel.view(subject)
            if view is not None:
                check_view(view)
