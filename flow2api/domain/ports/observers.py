"""Objects of plugins that hear what happens."""

from typing import Protocol

from flow2api.domain.notices import Notice


class Observer(Protocol):
    """Hears every notice, in its order."""

    def notify(self, notice: Notice) -> None:
        """Take a notice in.

        It is called in a thread of the observer's own, one call at a time, so it may block. What it raises is logged
        and has no other effect. An observer that is slower than what happens misses what its queue cannot hold.
        """
        ...
