"""What the panels of plugins show, each on its own: one that fails, hangs or shows nonsense harms no page."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from flow2api.domain.account import Account
from flow2api.domain.account_state import AccountState
from flow2api.domain.errors import PluginError
from flow2api.domain.panels import PanelPlace, PanelSubject, PanelView, ProxySeen, check_view
from flow2api.domain.ports.panels import Panel
from flow2api.domain.ports.system import Clock
from flow2api.domain.proxy import Proxy
from flow2api.domain.usecases.glance_at_pool import GlanceAtPool

log = logging.getLogger(__name__)

TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class PlacedPanel:
    """A panel under its name, and where it stands."""

    name: str
    title: str
    place: PanelPlace
    panel: Panel


@dataclass(frozen=True, slots=True)
class ShownPanel:
    """What a panel showed.

    Attributes:
        view: None when it failed.
        fault: Why it failed, in one sentence; empty when it did not.
    """

    name: str
    title: str
    view: PanelView | None
    fault: str = ""


class ShowPanels:
    """Asks the panels of a page side by side.

    Args:
        timeout_s: How long each may take.
    """

    def __init__(
        self, panels: Sequence[PlacedPanel], glance: GlanceAtPool, clock: Clock, *, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._panels = tuple(panels)
        self._glance = glance
        self._clock = clock
        self._timeout_s = timeout_s
        self._failing: set[str] = set()

    async def __call__(self, place: PanelPlace, account: Account | None = None) -> Sequence[ShownPanel]:
        """Those that have something to show, or failed, in the order of their plugins. Never raises.

        Args:
            account: Whose page it is.
        """
        wanted = [one for one in self._panels if one.place is place]
        if not wanted:
            return ()
        subject = PanelSubject(
            now=self._clock.now(),
            account=account,
            accounts=await self._counts(),
            proxies=tuple(map(_seen, self._glance.proxies())),
        )
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._shown(one, subject)) for one in wanted]
        return tuple(shown for task in tasks if (shown := task.result()) is not None)

    async def _counts(self) -> dict[AccountState, int]:
        return dict((await self._glance.accounts()).page.counts)

    async def _shown(self, one: PlacedPanel, subject: PanelSubject) -> ShownPanel | None:
        try:
            async with asyncio.timeout(self._timeout_s):
                seen = await one.panel.view(subject)
            view = None if seen is None else check_view(seen)
        except TimeoutError:
            return self._failed(one, f"It did not come to an end within {self._timeout_s:g} s.")
        except PluginError as error:
            return self._failed(one, error.message)
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise  # it was this page that was given up, and not something within the plugin
            return self._failed(one, f"It broke ({type(error).__name__}); the log says where.", error)
        self._failing.discard(one.name)
        return None if view is None else ShownPanel(one.name, one.title, view)

    def _failed(self, one: PlacedPanel, fault: str, error: BaseException | None = None) -> ShownPanel:
        if one.name not in self._failing:  # once, not each time that somebody opens the page
            self._failing.add(one.name)
            log.error("console panel failed: %s", fault, extra={"panel": one.name}, exc_info=error)
        return ShownPanel(one.name, one.title, None, fault)


def _seen(proxy: Proxy) -> ProxySeen:
    health = proxy.health
    return ProxySeen(proxy.name, proxy.pool, proxy.is_enabled, health.state, health.latency_ms, health.checked_at)
