"""The keeper: has tokens, plans, credits and workspaces ready before a request needs them."""

import asyncio
import heapq
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from flow2api.domain.account import Account, Cure, RestReason, Tier
from flow2api.domain.errors import CredentialError, Flow2ApiError
from flow2api.domain.lease import AccountPool
from flow2api.domain.options import Options
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Upstream
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.tend_accounts import TendAccounts

_BACK_OFF = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(minutes=30))
_IDLE_S = 1.0
_LEFT_ALONE = frozenset({RestReason.MANUAL, RestReason.AUTH_EXPIRED, RestReason.UNUSABLE})


class WarmAccounts:
    """Exchanges, asks plan and credits, and opens a workspace for every enabled account, at a gentle pace.

    A transient failure never disables an account: it is tried again, later each time. An account whose session is
    refused is left alone until it has a new one.
    """

    def __init__(
        self,
        pool: AccountPool,
        upstreams: Mapping[str, Upstream],
        credentials: RenewCredentials,
        tend: TendAccounts,
        clock: Clock,
        options: Callable[[], Options],
        random: Random | None = None,
    ) -> None:
        self._pool = pool
        self._upstreams = upstreams
        self._credentials = credentials
        self._tend = tend
        self._clock = clock
        self._options = options
        self._random = random or Random()  # noqa: S311  # jitter
        self._queue: list[tuple[datetime, int]] = []
        self._due: dict[int, datetime] = {}
        self._failures: dict[int, int] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        pool.subscribe(self.schedule)

    def schedule(self, account: Account) -> None:
        """Note when this account has to be looked after next."""
        if account.id in self._running or account.id in self._failures:
            return
        self._plan(account.id, self._next_visit(account))

    async def warm(self, account_id: int) -> None:
        """Look after this account now, or join who does.

        Raises:
            Flow2ApiError: What kept it from becoming warm.
        """
        task = self._running.get(account_id)
        if task is None:
            task = asyncio.create_task(self._visit(account_id), name=f"warm-{account_id}")
            self._running[account_id] = task
            task.add_done_callback(lambda _: self._running.pop(account_id, None))
        await asyncio.shield(task)

    async def run(self) -> None:
        """Visit what is due, for ever."""
        async with asyncio.TaskGroup() as visits:
            limit = asyncio.Semaphore(self._options().renewals_at_once)
            while True:
                account_id = self._take_due()
                if account_id is None:
                    await self._clock.sleep(_IDLE_S)
                    continue
                await limit.acquire()
                visit = visits.create_task(self._visit_quietly(account_id))
                visit.add_done_callback(lambda _: limit.release())
                await self._clock.sleep(1.0 / self._options().renewals_per_s)

    # --- one visit ----------------------------------------------------------------------------------------------------

    async def _visit_quietly(self, account_id: int) -> None:
        try:
            await self.warm(account_id)
        except Flow2ApiError as error:
            self._put_off(account_id, error)
        else:
            self._failures.pop(account_id, None)
            account = self._pool.get(account_id)
            if account is not None:
                self._plan(account_id, self._next_visit(account))

    async def _visit(self, account_id: int) -> None:
        account = self._pool.get(account_id)
        if account is None or _is_left_alone(account):
            return
        if account.is_warm:
            await self._credentials.renew(account_id, force=True)
        upstream = self._upstreams[account.upstream]
        try:
            allowance = await self._credentials.call(account, upstream.allowance)
        except CredentialError as error:
            await self._tend.went_wrong(account_id, error)
            raise
        await self._tend.change(account_id, lambda one: _with_allowance(one, allowance.tier, allowance.credits))
        if account.workspace is None:
            title = f"{self._clock.now():%b %d - %H:%M}"
            workspace = await self._credentials.call(
                account, lambda access: upstream.open_workspace(access, title), with_session=True
            )
            await self._tend.change(account_id, lambda one: replace(one, workspace=workspace))

    # --- when ---------------------------------------------------------------------------------------------------------

    def _next_visit(self, account: Account) -> datetime:
        now = self._clock.now()
        if account.access_expires_at is None or not account.is_warm:
            return now
        jitter = self._random.random() * 0.1
        due = account.access_expires_at - account.renewal_margin() * (1 + jitter)
        if account.access_obtained_at is not None:
            keepalive = timedelta(hours=self._options().session_keepalive_h) * (1 - jitter)
            due = min(due, account.access_obtained_at + keepalive)
        return due

    def _plan(self, account_id: int, due: datetime) -> None:
        if self._due.get(account_id) != due:
            self._due[account_id] = due
            heapq.heappush(self._queue, (due, account_id))

    def _take_due(self) -> int | None:
        now = self._clock.now()
        while self._queue and self._queue[0][0] <= now:
            due, account_id = heapq.heappop(self._queue)
            if self._due.get(account_id) != due:
                continue
            del self._due[account_id]
            account = self._pool.get(account_id)
            if account is not None and not _is_left_alone(account) and account_id not in self._running:
                return account_id
        return None

    def _put_off(self, account_id: int, error: Flow2ApiError) -> None:
        failures = self._failures.get(account_id, 0)
        account = self._pool.get(account_id)
        if account is None or _is_left_alone(account):
            self._failures.pop(account_id, None)
            return
        self._failures[account_id] = failures + 1
        pause = _BACK_OFF[min(failures, len(_BACK_OFF) - 1)] * (0.75 + self._random.random() / 2)
        self._plan(account_id, self._clock.now() + pause)


def _is_left_alone(account: Account) -> bool:
    return any(rest.reason in _LEFT_ALONE for rest in account.rests if rest.model is None)


def _with_allowance(account: Account, tier: Tier, credits_left: int | None) -> Account:
    updated = replace(account, tier=tier, credits=credits_left)
    if account.tier is not None and updated.tier != account.tier:
        updated = updated.cured(Cure.TIER_CHANGED)
    return updated.cured(Cure.CREDITS_SEEN) if credits_left else updated
