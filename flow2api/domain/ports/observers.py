"""Objects of plugins that hear what happens."""

from collections.abc import Collection
from typing import Protocol, runtime_checkable

from flow2api.domain.notices import Notice, NoticeKind


class Observer(Protocol):
    """Hears every notice, in its order."""

    def notify(self, notice: Notice) -> None:
        """Take a notice in.

        It is called in a thread of the observer's own, one call at a time, so it may block. What it raises is logged
        and has no other effect. An observer that is slower than what happens misses what its queue cannot hold.
        """
        ...


@runtime_checkable
class ChoosesKinds(Protocol):
    """An observer that hears some kinds of notices only. Every wake of its thread takes time from requests.

    An observer may offer this; whoever hands notices on asks by ``isinstance``, once.

    Attributes:
        kinds: What it wants to hear.
    """

    kinds: Collection[NoticeKind]
