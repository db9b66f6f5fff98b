"""Replays a stored day under several policies, beside whatever else the process does."""

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import cache

from flow2api.domain.account import Account
from flow2api.domain.catalog import ModelCatalog
from flow2api.domain.errors import ConflictError, UnsupportedInputError
from flow2api.domain.options import Options
from flow2api.domain.ports.coordination import Slots
from flow2api.domain.ports.storage import Accounts, PastRequest, PastRequests
from flow2api.domain.ports.system import Clock
from flow2api.domain.replay import Replay
from flow2api.domain.selection import SelectionPolicy
from flow2api.domain.usecases.replay_requests import ReplayRequests

Policies = Mapping[str, Callable[[], SelectionPolicy]]
Batches = AsyncIterator[Sequence[PastRequest]]


class SimulatePolicies:
    """Each replay works in a thread with an event loop of its own, so that nobody who is served waits for it.

    Nothing is sent to any service and nothing is written.
    """

    def __init__(
        self,
        accounts: Accounts,
        past_requests: PastRequests,
        catalog: ModelCatalog,
        policies: Policies,
        slots: Callable[[], Slots],
        tag_of: Callable[[int | None], str | None],
        options: Callable[[], Options],
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._past_requests = past_requests
        self._catalog = catalog
        self._policies = policies
        self._slots = slots
        self._tag_of = tag_of
        self._options = options
        self._clock = clock
        self._is_busy = False

    async def __call__(self, day: date | None = None, names: Sequence[str] = ()) -> tuple[date, list[Replay]]:
        """Replay the requests of a day, one policy after the other.

        Args:
            day: In UTC; yesterday when none is given.
            names: The policies to try; all when none is named.

        Returns:
            The day, and what came of each policy; of a day without requests only the first one.

        Raises:
            UnsupportedInputError: There is no policy of a name, or the day is still to come.
            ConflictError: A simulation runs already.
        """
        check_policies(names, self._policies)
        if self._is_busy:
            raise ConflictError("A simulation runs already; wait until it has ended.")
        self._is_busy = True
        try:
            today = self._clock.now().astimezone(UTC).date()
            day = day or today - timedelta(days=1)
            if day > today:
                raise UnsupportedInputError(f"The {day} is still to come; choose a day that has been.", param="day")
            return day, await self._replays(day, tuple(dict.fromkeys(names)) or tuple(sorted(self._policies)))
        finally:
            self._is_busy = False

    async def _replays(self, day: date, names: Sequence[str]) -> list[Replay]:
        start = datetime.combine(day, time(), UTC)
        accounts = [account async for batch in self._accounts.load() for account in batch]
        replays: list[Replay] = []
        for name in names:
            past = self._past_requests.between(start, start + timedelta(days=1))
            replays.append(await self._aside(name, accounts, start, past))
            if not replays[-1].requests:
                break
        return replays

    async def _aside(self, name: str, accounts: Sequence[Account], start: datetime, past: Batches) -> Replay:
        """One replay in a thread; whoever waits for it no more ends it with its next batch."""
        loop, is_over = asyncio.get_running_loop(), threading.Event()

        async def batches() -> AsyncGenerator[Sequence[PastRequest], None]:
            while not is_over.is_set():
                asked = asyncio.run_coroutine_threadsafe(_next(past), loop)
                batch = await asyncio.wrap_future(asked)
                if batch is None:
                    return
                yield batch

        async def replayed() -> Replay:
            replay = ReplayRequests(accounts, self._slots(), self._catalog, self._options(), cache(self._tag_of), start)
            async with aclosing(batches()) as requests:
                return await replay(name, self._policies[name](), requests)

        try:
            return await asyncio.to_thread(lambda: asyncio.run(replayed()))
        finally:
            is_over.set()


def check_policies(names: Collection[str], known: Collection[str]) -> None:
    """Refuse the name of a policy that there is not.

    Raises:
        UnsupportedInputError: One is none; the message names those that there are.
    """
    for name in names:
        if name not in known:
            near = get_close_matches(name, sorted(known), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise UnsupportedInputError(
                f"There is no selection policy {name[:64]!r}; there are {', '.join(sorted(known))}.{hint}",
                param="policies",
            )


async def _next(batches: Batches) -> Sequence[PastRequest] | None:
    return await anext(batches, None)
