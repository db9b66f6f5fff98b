"""Who waits for a slot, in the order of coming."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from flow2api.domain.selection import Candidate, Need, Signature, model_refusal, refusal


@dataclass(slots=True, eq=False)
class Waiter:
    """One request that waits.

    Attributes:
        number: Its place in the order of coming, over all signatures.
        avoid: Accounts that it must not be given.
        given: The account that it is given, on which a slot is counted for it already.
    """

    number: int
    need: Need
    signature: Signature
    avoid: Collection[int]
    given: Candidate | None = None
    _is_woken: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def give(self, candidate: Candidate) -> None:
        """End the wait with this account."""
        self.given = candidate
        self.wake()

    def wake(self) -> None:
        """Let it look whether waiting still makes sense."""
        self._is_woken.set()

    async def woken(self, within_s: float) -> None:
        """Wait until it is woken, for so long at most."""
        self._is_woken.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._is_woken.wait()

    def fits(self, candidate: Candidate, now: datetime) -> bool:
        """Whether an account that is ready for its signature can serve it."""
        account_id = candidate.account.id
        if account_id in self.avoid or self.need.only not in (None, account_id):
            return False
        return model_refusal(candidate, self.need.spec, now) is None


class WaitingLine:
    """The waiting requests. An account goes to the first one that it can serve, so nobody is passed over or forgotten."""

    def __init__(self) -> None:
        self._numbers = count()
        self._waiters: dict[Signature, dict[Waiter, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._waiters)

    def waiting(self, signature: Signature) -> int:
        """How many wait for this signature."""
        return len(self._waiters.get(signature, ()))

    def signatures(self) -> Collection[Signature]:
        """For which signatures somebody waits."""
        return self._waiters.keys()

    def wake(self, signature: Signature) -> None:
        """Let everybody who waits for this signature look whether it still makes sense."""
        for waiter in self._waiters.get(signature, ()):
            waiter.wake()

    def join(self, need: Need, avoid: Collection[int]) -> Waiter:
        """Stand at the end of the line."""
        waiter = Waiter(next(self._numbers), need, need.signature, avoid)
        self._waiters.setdefault(waiter.signature, {})[waiter] = None
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Stand in the line no more; leaving twice does no harm."""
        line = self._waiters.get(waiter.signature)
        if line is not None:
            line.pop(waiter, None)
            if not line:
                del self._waiters[waiter.signature]

    def first_for(self, candidate: Candidate, now: datetime) -> Waiter | None:
        """Who has waited longest among those whom this account can serve now."""
        first: Waiter | None = None
        for signature, line in self._waiters.items():
            if refusal(candidate, signature, now) is not None:
                continue
            found = next((waiter for waiter in line if waiter.fits(candidate, now)), None)
            if found is not None and (first is None or found.number < first.number):
                first = found
        return first
