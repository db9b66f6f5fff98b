"""Whose fault a fault is: an account's own, or everybody's."""

from collections import OrderedDict

_WINDOW_S = 120.0


class Weather:
    """How the accounts of one upstream fared lately: the latest outcome of each.

    Errors of the service, garbage and time-outs count as an account's own only while most of the other accounts do not
    show them.
    """

    def __init__(self, window_s: float = _WINDOW_S) -> None:
        self._window_s = window_s
        self._latest: OrderedDict[int, tuple[float, bool]] = OrderedDict()
        self._faring_well = 0

    @property
    def is_foul(self) -> bool:
        """Whether most of the accounts seen lately fared badly, as of the last note."""
        return 2 * self._faring_well < len(self._latest)

    def note(self, account_id: int, at: float, *, went_well: bool) -> None:
        """Remember an outcome; ``at`` is monotonic time in seconds."""
        self._forget_before(at - self._window_s)
        before = self._latest.pop(account_id, None)
        self._latest[account_id] = (at, went_well)
        self._faring_well += went_well - (before is not None and before[1])

    def knows_others(self, account_id: int, at: float) -> bool:
        """Whether any other account was seen lately."""
        self._forget_before(at - self._window_s)
        return len(self._latest) > (account_id in self._latest)

    def is_own_fault(self, account_id: int, at: float) -> bool:
        """Whether a fault that this account meets now is its own: others were seen lately, and most of them fare well."""
        self._forget_before(at - self._window_s)
        own = self._latest.get(account_id)
        others = len(self._latest) - (own is not None)
        faring_well = self._faring_well - (own is not None and own[1])
        return 2 * faring_well > others

    def _forget_before(self, time: float) -> None:
        while self._latest:
            account_id, (at, went_well) = next(iter(self._latest.items()))
            if at >= time:
                return
            del self._latest[account_id]
            self._faring_well -= went_well
