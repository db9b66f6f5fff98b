"""Faults that came while no other account was seen, so that nobody knows yet whose they are."""

from collections.abc import Iterator

_REMEMBERED_S = 3600.0


class UnjudgedFaults:
    """The latest such fault of each account at one kind of call, for an hour: what came longer ago tells nothing any more."""

    def __init__(self) -> None:
        self._faults: dict[int, tuple[float, str]] = {}

    def note(self, account_id: int, at: float, why: str) -> None:
        """An account met one; ``at`` is monotonic time in seconds."""
        self._faults[account_id] = (at, why)

    def forget(self, account_id: int) -> str | None:
        """It is judged, or the account did well since; returns what it was."""
        fault = self._faults.pop(account_id, None)
        return None if fault is None else fault[1]

    def accounts(self, at: float) -> Iterator[int]:
        """Those with a fault that is still to be judged."""
        for account_id, (met_at, _) in list(self._faults.items()):
            if met_at < at - _REMEMBERED_S:
                del self._faults[account_id]
            else:
                yield account_id
