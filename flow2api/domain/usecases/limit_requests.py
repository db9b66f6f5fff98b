"""How much each key may ask for."""

from collections.abc import Callable

from flow2api.domain.api_key import Caller
from flow2api.domain.errors import KeyLimitError
from flow2api.domain.options import Options
from flow2api.domain.ports.coordination import Limits, LimitsInMemory

_WINDOW_S = 60.0


class LimitRequests:
    """Counts the requests that each key begins. Operators have no limit."""

    def __init__(self, limits: Limits, options: Callable[[], Options]) -> None:
        self._limits = limits
        self._memory = limits if isinstance(limits, LimitsInMemory) else None
        self._options = options

    def is_limited(self, caller: Caller) -> bool:
        """Whether there is anything to count; where there is not, nobody has to wait for it."""
        return self._options().requests_per_min > 0 and caller.key_id is not None

    async def count(self, caller: Caller) -> None:
        """Count one more request.

        Raises:
            KeyLimitError: The key has had all of this minute.
            CoordinationError: It cannot be counted now.
        """
        subject, limit = f"key {caller.key_id} requests", self._options().requests_per_min
        if self._memory is not None:
            wait_s = self._memory.spend_now(subject, 1, limit, _WINDOW_S)
        else:
            wait_s = await self._limits.spend(subject, 1, limit, _WINDOW_S)
        if wait_s is not None:
            raise KeyLimitError(limit, wait_s)
