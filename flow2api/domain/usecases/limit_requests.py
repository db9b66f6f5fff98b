"""How much each key may ask for."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from flow2api.domain.api_key import ApiKey, Caller
from flow2api.domain.errors import KeyConcurrencyError, KeyDayLimitError, KeyLimitError, UnsupportedInputError
from flow2api.domain.generation import Generation, State
from flow2api.domain.key_lines import KeyLines
from flow2api.domain.key_rules import NO_RULES, KeyRules
from flow2api.domain.options import Options
from flow2api.domain.ports.coordination import Limits, LimitsInMemory, RefundsUses, TellsUses
from flow2api.domain.ports.statistics import Statistics
from flow2api.domain.ports.system import Clock
from flow2api.domain.quantity import counted
from flow2api.domain.statistics import Counts, Dimension, Scope, quarter_of

log = logging.getLogger(__name__)

_WINDOW_S = 60.0
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a key may still begin.

    Attributes:
        limit: How many requests it may begin in a minute.
        remaining: How many of them are left.
        reset_s: When all of them are there again, in seconds.
    """

    limit: int
    remaining: int
    reset_s: float


@dataclass(slots=True)
class Counting:
    """A request that was counted.

    Attributes:
        is_begun: Whether something came of it; else what it took of the day is given back.
    """

    is_begun: bool = False


class LimitRequests:
    """Counts the requests that each key begins, what runs for it at once, and what is made for it in a day.

    Keys that took one another's place are counted as one, so that rotating doubles no limit. Operators have no limit. Requests
    and days are counted over all processes that share a coordination; what runs at once is counted by each process for itself.
    """

    def __init__(
        self,
        limits: Limits,
        options: Callable[[], Options],
        *,
        lines: KeyLines,
        statistics: Statistics,
        clock: Clock,
        under_way: Callable[[int | None], int],
    ) -> None:
        """Count nothing yet.

        Args:
            lines: Is told of all keys by `follow`.
            under_way: How many generations of a key wait or run in this process.
        """
        self._limits = limits
        self._memory = limits if isinstance(limits, LimitsInMemory) else None
        self._uses = limits if isinstance(limits, TellsUses) else None
        self._refunds = limits if isinstance(limits, RefundsUses) else None
        self._owed: Counter[str] = Counter()
        self._has_debts = asyncio.Event()
        self._options = options
        self._statistics = statistics
        self._clock = clock
        self._under_way = under_way
        self._about_to_begin: Counter[int] = Counter()
        self._lines = lines
        self._by_day: dict[int, int] = {}
        self._since = clock.now()

    def is_limited(self, caller: Caller) -> bool:
        """Whether there is anything to count; where there is not, nobody has to wait for it."""
        if caller.key_id is None:
            return False
        rules = caller.rules
        if rules is NO_RULES:  # as most have none, that is a matter of nanoseconds
            return self._options().requests_per_min > 0
        return self._per_min(caller) > 0 or rules.max_concurrent > 0 or rules.max_per_day > 0

    @asynccontextmanager
    async def counting(self, caller: Caller, *, results: int, parts: int) -> AsyncGenerator[Counting, None]:
        """Count one more request, in the course of which it is begun.

        Args:
            results: How many pictures or videos it asks for.
            parts: How many generations it becomes.

        Raises:
            UnsupportedInputError: It asks for more than the key may ever have at once or in a day.
            KeyLimitError: The key may not begin it now.
            CoordinationError: It cannot be counted now.
        """
        line_id, rules, now = caller.line_id, caller.rules, self._clock.now()
        _check_count(rules, results, parts)
        if rules.max_concurrent and rules.max_concurrent < self._at_once(caller) + parts:
            raise KeyConcurrencyError(rules.max_concurrent)
        self._about_to_begin[line_id] += parts
        counting, day = Counting(), None
        try:
            await self._count_request(caller)
            day = await self._count_day(caller, results, now)
            yield counting
        finally:
            self._about_to_begin[line_id] -= parts
            if not self._about_to_begin[line_id]:
                del self._about_to_begin[line_id]
            if day is not None and not counting.is_begun:
                self._give_back(day, results)

    async def follow(self, keys: Sequence[ApiKey]) -> None:
        """Take in which keys there are, and what was made today for those with a limit by the day, as far as it is not counted yet.

        Where other processes count along, they know it already.

        Args:
            keys: All that there are, revoked ones included: what was made for those counts to their line.
        """
        self._lines.follow(keys)
        limited = {key.id: key.line_id for key in keys if key.is_active and key.rules.max_per_day}
        if self._memory is None or self._uses is None:
            self._by_day |= limited  # what another process has begun may end here
            return
        if not limited:
            return
        now = self._clock.now()
        quarters = range(quarter_of(_midnight(now)), quarter_of(now) + 1)
        found = await self._statistics.of_quarters(quarters, Dimension.KEY, Scope())
        for line_id in dict.fromkeys(limited.values()):
            counted = [found.get(key_id, Counts()) for key_id in self._lines.of_line(line_id)]
            made = sum(counts.images + counts.videos + counts.cancelled for counts in counted)
            subject, left_s = _day_of(line_id, now), _left_of_day(now)
            missing = made - self._uses.used_now(subject)[0]
            if missing > 0:
                self._memory.spend_now(subject, missing, made, left_s)

    def ended(self, generation: Generation) -> None:
        """Give back what a generation took of its key's day and did not make; one that somebody ended keeps it."""
        line_id = self._by_day.get(generation.key_id or 0)
        if line_id is None or generation.state is State.CANCELLED:
            return
        if self._uses is not None and generation.created_at < self._since:
            return  # memory began anew with what was made, so this was never counted
        lost = generation.count - len(generation.results)
        if lost > 0:
            self._give_back(_day_of(line_id, generation.created_at), lost)

    async def run(self) -> None:
        """Give back for ever what is owed to limits that others count along."""
        while True:
            await self._has_debts.wait()
            await self.settle()

    async def settle(self) -> None:
        """Give back what is owed now.

        It is tried once: nobody knows whether a try that failed was counted, and no key is to get more than its limit.
        """
        self._has_debts.clear()
        owed, self._owed = self._owed, Counter()
        if self._refunds is None:
            return
        for day, amount in owed.items():
            try:
                await self._refunds.refund(day, amount)
            except Exception:
                log.warning("what failed was not given back to its keys, whose day counts it", exc_info=True)

    def allowance(self, caller: Caller) -> Allowance | None:
        """What the key may still begin in this minute; None where it has no limit, or others would have to be asked."""
        if caller.key_id is None or self._uses is None or not (limit := self._per_min(caller)):
            return None
        used, reset_s = self._uses.used_now(_requests_of(caller.line_id))
        return Allowance(limit, max(limit - used, 0), reset_s)

    def used_today(self, line_id: int) -> int | None:
        """How many pictures and videos a line of keys with a limit by the day has had made or begun today, by UTC.

        None where others would have to be asked.
        """
        return None if self._uses is None else self._uses.used_now(_day_of(line_id, self._clock.now()))[0]

    def _at_once(self, caller: Caller) -> int:
        """How many generations of the line wait, run, or are just being begun."""
        return sum(map(self._under_way, self._lines.keys_of(caller))) + self._about_to_begin[caller.line_id]

    def _per_min(self, caller: Caller) -> int:
        own = caller.rules.requests_per_min
        return self._options().requests_per_min if own is None else own

    async def _count_request(self, caller: Caller) -> None:
        limit = self._per_min(caller)
        if limit and (wait_s := await self._spend(_requests_of(caller.line_id), 1, limit, _WINDOW_S)) is not None:
            raise KeyLimitError(limit, wait_s)

    async def _count_day(self, caller: Caller, results: int, now: datetime) -> str | None:
        limit = caller.rules.max_per_day
        if not limit or caller.key_id is None:
            return None
        day, left_s = _day_of(caller.line_id, now), _left_of_day(now)
        if await self._spend(day, results, limit, left_s) is not None:
            raise KeyDayLimitError(limit, left_s)
        self._by_day[caller.key_id] = caller.line_id
        return day

    async def _spend(self, subject: str, amount: int, limit: int, window_s: float) -> float | None:
        if self._memory is not None:
            return self._memory.spend_now(subject, amount, limit, window_s)
        return await self._limits.spend(subject, amount, limit, window_s)

    def _give_back(self, day: str, amount: int) -> None:
        if self._uses is not None:
            self._uses.give_back_now(day, amount)
        elif self._refunds is not None:
            self._owed[day] += amount
            self._has_debts.set()


def _check_count(rules: KeyRules, results: int, parts: int) -> None:
    """Refuse what waiting would not help."""
    if 0 < rules.max_concurrent < parts or 0 < rules.max_per_day < results:
        limits = [counted(rules.max_concurrent, "generation") + " at once"] if rules.max_concurrent else []
        limits += [counted(rules.max_per_day, "result") + " a day"] if rules.max_per_day else []
        raise UnsupportedInputError(
            f"This API key may have {' and '.join(limits)}; ask for fewer at a time.", param="n"
        )


def _requests_of(line_id: int) -> str:
    return f"key {line_id} requests"


def _day_of(line_id: int, moment: datetime) -> str:
    return f"key {line_id} results {moment:%Y-%m-%d}"


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def _left_of_day(now: datetime) -> float:
    """Seconds until the next day of UTC begins."""
    return (_midnight(now) + _DAY - now).total_seconds()
