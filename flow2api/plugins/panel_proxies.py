"""A panel on the overview: how the proxies stand."""

from collections.abc import Iterable

from flow2api.domain.panels import PanelCell, PanelPlace, PanelSubject, PanelTable, PanelTone, PanelView, ProxySeen
from flow2api.domain.proxy import ProxyState
from flow2api.hookspecs import ConsolePanel, hookimpl

SHOWN = 8
_TONES = {
    ProxyState.HEALTHY: PanelTone.FINE,
    ProxyState.SUSPECT: PanelTone.WARNING,
    ProxyState.DOWN: PanelTone.FAULT,
    ProxyState.UNKNOWN: PanelTone.PLAIN,
}
_WORDS = {
    ProxyState.HEALTHY: "Works",
    ProxyState.SUSPECT: "Fails at times",
    ProxyState.DOWN: "Down",
    ProxyState.UNKNOWN: "Not checked yet",
}
_WORST = (ProxyState.DOWN, ProxyState.SUSPECT, ProxyState.UNKNOWN, ProxyState.HEALTHY)


class ProxiesPanel:
    """The proxies that are used, those first that need somebody, then the slow ones."""

    async def view(self, subject: PanelSubject) -> PanelView | None:
        """None without proxies."""
        used = [one for one in subject.proxies if one.is_enabled]
        if not used:
            return None
        used.sort(key=lambda one: (_WORST.index(one.state), -(one.latency_ms or 0), one.name))
        more = len(used) - SHOWN
        return PanelView(
            text=f"{more} more are not shown." if more > 0 else "",
            table=PanelTable(("Proxy", "Pool", "State", "Took"), tuple(_row(one) for one in used[:SHOWN])),
        )


def _row(one: ProxySeen) -> tuple[str | PanelCell, ...]:
    state = PanelCell(_WORDS[one.state], _TONES[one.state])
    took = PanelCell("not known") if one.latency_ms is None else f"{one.latency_ms} ms"
    return one.name, one.pool or PanelCell("none"), state, took


@hookimpl
def register_console_panels() -> Iterable[ConsolePanel]:
    """The panel ``proxies``."""
    return [ConsolePanel("proxies", "Proxies", PanelPlace.OVERVIEW, lambda section: ProxiesPanel())]
