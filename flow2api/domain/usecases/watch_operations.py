"""Watches videos: one task per account asks for all of that account's operations at once."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flow2api.domain.account import Account
from flow2api.domain.apart import apart
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import CredentialError, Flow2ApiError, UpstreamError, UpstreamTimeoutError
from flow2api.domain.generation import Operation, OperationStatus, Product
from flow2api.domain.lease import AccountPool
from flow2api.domain.options import Options
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access, Upstream
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.tend_accounts import TendAccounts

log = logging.getLogger(__name__)

_FIRST_GUESS_S = 90.0
_SLOWEST = 3
_LONGEST_BACK_OFF = 20
_LEARNING = 0.2


@dataclass(slots=True)
class _Watched:
    """One operation that somebody waits for."""

    operation: Operation
    line: str
    begun: float
    result: "asyncio.Future[Product]"
    on_progress: Callable[[int], None]


class Durations:
    """How long generations of a line of models take, learned from those that ended."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def expected_s(self, line: str) -> float:
        """Seconds that the next one will probably take."""
        return self._seconds.get(line, _FIRST_GUESS_S)

    def learn(self, line: str, seconds: float) -> None:
        """One has ended."""
        before = self._seconds.get(line)
        self._seconds[line] = seconds if before is None else before + _LEARNING * (seconds - before)


class WatchOperations:
    """Waits for operations to end.

    Status calls grow with accounts, not with operations, and come at most once per account and interval: often near the
    expected end, seldom before, backing off on errors.
    """

    def __init__(
        self,
        pool: AccountPool,
        upstreams: Mapping[str, Upstream],
        credentials: RenewCredentials,
        tend: TendAccounts,
        clock: Clock,
        options: Callable[[], Options],
    ) -> None:
        self._pool = pool
        self._upstreams = upstreams
        self._credentials = credentials
        self._tend = tend
        self._clock = clock
        self._options = options
        self.durations = Durations()
        self._watched: dict[int, dict[str, _Watched]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    async def watch(
        self,
        account_id: int,
        operation: Operation,
        spec: ModelSpec,
        *,
        limit_s: float,
        on_progress: Callable[[int], None],
    ) -> Product:
        """Wait until the operation has ended.

        Args:
            limit_s: How long to wait at most.
            on_progress: Told the estimated progress in percent, now and then.

        Raises:
            UpstreamTimeoutError: It did not end in time.
            Flow2ApiError: What upstream says it failed of.
        """
        loop = asyncio.get_running_loop()
        line = f"{spec.line}/{spec.seconds}/{spec.resolution}"
        watched = _Watched(operation, line, self._clock.monotonic(), loop.create_future(), on_progress)
        self._watched.setdefault(account_id, {})[operation.name] = watched
        if account_id not in self._tasks:
            task = apart(self._attend(account_id), name=f"watch-{account_id}")
            self._tasks[account_id] = task
        try:
            async with asyncio.timeout(limit_s):
                return await watched.result
        except TimeoutError as error:
            raise UpstreamTimeoutError(
                f"The service did not finish the video within {limit_s:.0f} s; it may still appear in the account."
            ) from error
        finally:
            self._watched.get(account_id, {}).pop(operation.name, None)

    async def aclose(self) -> None:
        """Stop watching; whoever waits is cancelled by its own owner."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _attend(self, account_id: int) -> None:
        errors = 0
        try:
            while watched := self._watched.get(account_id):
                await self._clock.sleep(self._pause_s(watched, errors))
                account = self._pool.get(account_id)
                if account is None:
                    self._fail_all(account_id, UpstreamError("The account that made the video was removed."))
                    return
                errors = 0 if await self._ask(account) else errors + 1
        finally:
            self._tasks.pop(account_id, None)
            if not self._watched.get(account_id):
                self._watched.pop(account_id, None)

    async def _ask(self, account: Account) -> bool:
        """One round of status calls; whether upstream answered any of them."""
        watched = list(self._watched.get(account.id, {}).values())
        size = max(1, self._options().poll_batch)
        answered = False
        for start in range(0, len(watched), size):
            try:
                await self._ask_for(account, watched[start : start + size])
            except CredentialError as error:
                await self._tend.went_wrong(account.id, error)
                break
            except Flow2ApiError:
                continue  # the next batch may fare better, and all of them are asked for again
            except Exception:
                log.exception("status call failed by a fault of ours", extra={"account_id": account.id})
            else:
                answered = True
        return answered

    async def _ask_for(self, account: Account, watched: Sequence[_Watched]) -> None:
        statuses = await self._poll(account, [one.operation for one in watched])
        for one in watched:
            self._settle(one, statuses.get(one.operation.name))

    async def _poll(self, account: Account, operations: list[Operation]) -> Mapping[str, OperationStatus]:
        upstream = self._upstreams[account.upstream]

        async def call(access: Access) -> Mapping[str, OperationStatus]:
            return await upstream.poll(access, operations)

        return await self._credentials.call(account, call)

    def _settle(self, watched: _Watched, status: OperationStatus | None) -> None:
        if watched.result.done():
            return
        elapsed = self._clock.monotonic() - watched.begun
        if status is not None and status.error is not None:
            watched.result.set_exception(status.error)
        elif status is not None and status.product is not None:
            self.durations.learn(watched.line, elapsed)
            watched.result.set_result(status.product)
        else:
            expected = self.durations.expected_s(watched.line)
            watched.on_progress(int(5 + 90 * min(1.0, elapsed / (expected * 1.1))))

    def _fail_all(self, account_id: int, error: Exception) -> None:
        for watched in self._watched.get(account_id, {}).values():
            if not watched.result.done():
                watched.result.set_exception(error)

    def _pause_s(self, watched: dict[str, _Watched], errors: int) -> float:
        least = self._options().poll_interval_s
        if errors:
            return least * min(_SLOWEST * 2.0 ** (errors - 1), _LONGEST_BACK_OFF)
        now = self._clock.monotonic()
        soonest = min(one.begun + self.durations.expected_s(one.line) for one in watched.values()) - now
        return min(max(least, soonest / 2), least * _SLOWEST)
