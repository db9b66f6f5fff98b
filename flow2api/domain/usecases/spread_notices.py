"""One place to tell things to, and everybody who has to hear them."""

import logging
from collections.abc import Callable

from flow2api.domain.notices import Notice

log = logging.getLogger(__name__)


class SpreadNotices:
    """Hands each notice to all who listen, at once. Whoever tells something waits for nobody and sees no error."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Notice], None]] = []

    def subscribe(self, listener: Callable[[Notice], None]) -> None:
        """Call this with every notice from now on; it must be quick."""
        self._listeners.append(listener)

    def __call__(self, notice: Notice) -> None:
        """Tell everybody; never waits, never raises."""
        for listener in self._listeners:
            try:
                listener(notice)
            except Exception:
                log.exception("notice not taken", extra={"kind": notice.kind.value, "subject": notice.subject})
