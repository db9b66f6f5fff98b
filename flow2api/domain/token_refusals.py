"""Whether a fresh access token that is refused tells of the account's session, or of the service."""

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime

_DOUBT_S = 60.0


class TokenRefusals:
    """Which accounts of one upstream had a fresh access token refused lately, and which of them were believed to be over.

    One such refusal means that the session has ended. When several accounts meet it within a minute, or one after the other
    while no call of anybody's goes well, the service is more likely to refuse everybody than so many sessions to end at once.
    """

    def __init__(self) -> None:
        self._latest: OrderedDict[int, float] = OrderedDict()
        self._believed: dict[int, datetime | None] = {}
        self._accepted_at = float("-inf")

    def __len__(self) -> int:
        return len(self._latest)

    def accepted(self, at: float) -> None:
        """A call of some account has gone well; ``at`` is monotonic, in seconds."""
        self._accepted_at = at

    def is_doubtful(self, account_id: int, at: float) -> bool:
        """Note a refusal; whether those that others met speak for the account that meets this one."""
        while self._latest:
            oldest, met_at = next(iter(self._latest.items()))
            if met_at >= at - _DOUBT_S or met_at >= self._accepted_at:
                break
            del self._latest[oldest]
            self._believed.pop(oldest, None)
        self._latest.pop(account_id, None)
        others = len(self._latest)
        self._latest[account_id] = at
        return others > 0

    def believe(self, account_id: int, expires_at: datetime | None) -> None:
        """The refusal was taken at its word; ``expires_at`` is when the account's access token would have ended."""
        self._believed[account_id] = expires_at

    def doubt_all(self) -> Mapping[int, datetime | None]:
        """Those that were taken at their word and are doubtful now, with what `believe` was told; each is named once."""
        doubtful, self._believed = self._believed, {}
        return doubtful
