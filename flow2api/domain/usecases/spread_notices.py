"""One place to tell things to, and everybody who has to hear them."""

import logging
from collections.abc import Callable

from flow2api.domain.notices import Notice, NoticeKind

log = logging.getLogger(__name__)


def _everything(_: NoticeKind) -> bool:
    return True


class SpreadNotices:
    """Hands each notice to all who listen, at once. Whoever tells something waits for nobody and sees no error."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Notice], None]] = []
        self._wants: list[Callable[[NoticeKind], bool]] = []

    def subscribe(self, listener: Callable[[Notice], None], wants: Callable[[NoticeKind], bool] = _everything) -> None:
        """Call this with every notice from now on; it must be quick.

        Args:
            wants: Whether it has any use for notices of a kind at the moment. It may be given others all the same.
        """
        self._listeners.append(listener)
        self._wants.append(wants)

    def is_wanted(self, kind: NoticeKind) -> bool:
        """Whether anybody has a use for such a notice, so that it need not be made for nobody."""
        return any(wants(kind) for wants in self._wants)

    def __call__(self, notice: Notice) -> None:
        """Tell everybody; never waits, never raises."""
        for listener in self._listeners:
            try:
                listener(notice)
            except Exception:
                log.exception("notice not taken", extra={"kind": notice.kind.value, "subject": notice.subject})
