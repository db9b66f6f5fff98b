"""What stands behind a panel of the console."""

from typing import Protocol

from flow2api.domain.panels import PanelSubject, PanelView


class Panel(Protocol):
    """Says what a panel shows, each time that its page is opened."""

    async def view(self, subject: PanelSubject) -> PanelView | None:
        """What there is to be seen now; None when there is nothing, and the panel is not shown at all.

        It has two seconds, and must not block the event loop. What it raises is logged, and the page says that the panel failed.
        """
        ...
