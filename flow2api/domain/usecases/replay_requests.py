"""Replays past requests against the pool as it stands, under another policy and in time of its own."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import count
from random import Random

from flow2api.domain.account import Account, RestReason
from flow2api.domain.catalog import ModelCatalog, ModelSpec
from flow2api.domain.errors import Flow2ApiError, PoolError
from flow2api.domain.lease import AccountPool, Lease
from flow2api.domain.media import MediaKind
from flow2api.domain.options import Options
from flow2api.domain.ports.coordination import Slots
from flow2api.domain.ports.storage import PastRequest
from flow2api.domain.replay import Replay, Waits, gini
from flow2api.domain.selection import FULL, Need, SelectionPolicy

_TURNS = 8
"""How often the event loop goes round until whoever was given an account has noticed."""

_UNKNOWN_HELD_S = {MediaKind.IMAGE: 15.0, MediaKind.VIDEO: 120.0}
_SEED = 1


class _Time:
    """A clock that stands still until it is set."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self.passed_s = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.passed_s)

    def monotonic(self) -> float:
        return self.passed_s

    async def sleep(self, seconds: float) -> None:
        raise NotImplementedError


class ReplayRequests:
    """One replay. The accounts are as they are now, rested and with the credits that they have; only those stay away that an
    operator has switched off.

    A request holds its account as long as it did on its day; one that got none then, as long as others of its model did.
    """

    def __init__(
        self,
        accounts: Iterable[Account],
        slots: Slots,
        catalog: ModelCatalog,
        options: Options,
        tag_of: Callable[[int | None], str | None],
        start: datetime,
    ) -> None:
        self._catalog = catalog
        self._options = options
        self._tag_of = tag_of
        self._time, self._start = _Time(start), start
        self._pool = AccountPool(slots, self._time, Random(_SEED), lambda: options.max_running)  # noqa: S311
        for account in accounts:
            self._pool.put(account.without(lambda rest: rest.reason is RestReason.MANUAL))
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()
        self._waiting: set[asyncio.Task[Lease]] = set()
        self._releasing: set[asyncio.Task[None]] = set()
        self._usual: dict[str, tuple[float, int]] = {}
        self._waits = Waits()
        self._served: Counter[int] = Counter()
        self._failures: Counter[str] = Counter()
        self._requests = 0

    async def __call__(
        self, name: str, policy: SelectionPolicy, requests: AsyncIterator[Sequence[PastRequest]]
    ) -> Replay:
        """Replay them all, to the end of the last one."""
        async for batch in requests:
            for request in batch:
                await self._until((request.at - self._start).total_seconds())
                self._requests += 1
                await self._come(request, policy)
        await self._until(None)
        everybody = [self._served[account.id] for account in self._pool]
        return Replay(
            policy=name,
            requests=self._requests,
            served=self._served.total(),
            failures=dict(self._failures),
            waited=self._waits.waited,
            wait_p50_s=self._waits.quantile(0.5),
            wait_p95_s=self._waits.quantile(0.95),
            wait_max_s=self._waits.longest_s,
            accounts=len(everybody),
            used=sum(1 for one in everybody if one),
            most=max(everybody, default=0),
            least=min(everybody, default=0),
            gini=gini(everybody),
        )

    async def _until(self, at_s: float | None) -> None:
        """Let time pass, and what is due in it happen; without a limit, until nothing is due."""
        while self._due and (at_s is None or self._due[0][0] <= at_s):
            self._time.passed_s, _, happen = heappop(self._due)
            happen()
            await self._settled()
        if at_s is not None:
            self._time.passed_s = max(self._time.passed_s, at_s)

    async def _settled(self) -> None:
        if self._releasing:
            await asyncio.gather(*self._releasing)
        for _ in range(_TURNS if self._waiting else 0):
            await asyncio.sleep(0)

    def _at(self, seconds: float, happen: Callable[[], None]) -> None:
        heappush(self._due, (seconds, next(self._numbers), happen))

    async def _come(self, request: PastRequest, policy: SelectionPolicy) -> None:
        spec = self._catalog.spec(request.spec_name)
        if spec is None:
            self._failures["model_not_found"] += 1
            return
        held_s = self._held_s(request, spec)
        sticky = f"media {request.first_input}" if request.first_input else f"key {request.key_id}"
        need = Need(spec, tag=self._tag_of(request.key_id), sticky=sticky, key_id=request.key_id)
        try:
            lease = await self._pool.acquire(need, policy)
        except PoolError as error:
            limit_s = self._options.image_wait_s if spec.kind is MediaKind.IMAGE else self._options.video_wait_s
            may_wait = len(self._waiting) < self._options.waiting_limit and limit_s > 0
            if not FULL & error.reasons.keys() or not may_wait:
                self._failures[error.code] += 1
                return
            await self._wait(need, policy, held_s, limit_s)
        else:
            self._begin(lease, held_s, 0.0)

    async def _wait(self, need: Need, policy: SelectionPolicy, held_s: float, limit_s: float) -> None:
        came_s = self._time.passed_s
        task = asyncio.create_task(self._pool.wait(need, policy))
        self._waiting.add(task)

        def ended(waited: "asyncio.Task[Lease]") -> None:
            self._waiting.discard(waited)
            if waited.cancelled():
                self._failures["rate_limit_exceeded"] += 1
            elif (error := waited.exception()) is not None:
                self._failures[error.code if isinstance(error, Flow2ApiError) else type(error).__name__] += 1
            else:
                self._begin(waited.result(), held_s, self._time.passed_s - came_s)

        task.add_done_callback(ended)
        self._at(came_s + limit_s, lambda: None if task.done() else _cancel(task))
        await self._settled()

    def _begin(self, lease: Lease, held_s: float, waited_s: float) -> None:
        self._waits.add(waited_s)
        self._served[lease.account_id] += 1
        self._at(self._time.passed_s + held_s, partial(self._end, lease))

    def _end(self, lease: Lease) -> None:
        releasing = asyncio.create_task(lease.release())
        self._releasing.add(releasing)
        releasing.add_done_callback(self._releasing.discard)

    def _held_s(self, request: PastRequest, spec: ModelSpec) -> float:
        mean_s, seen = self._usual.get(spec.name, (_UNKNOWN_HELD_S[spec.kind], 0))
        if request.held_s is None:
            return mean_s
        self._usual[spec.name] = ((mean_s * seen + request.held_s) / (seen + 1), seen + 1)
        return request.held_s


def _cancel(task: "asyncio.Task[Lease]") -> None:
    task.cancel()
