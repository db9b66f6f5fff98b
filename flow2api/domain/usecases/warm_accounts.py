"""The keeper: has tokens, plans, credits and workspaces ready before a request needs them."""

import asyncio
import heapq
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from flow2api.domain.account import Account, Cure, RestReason
from flow2api.domain.apart import apart
from flow2api.domain.credential_kinds import SESSIONS, CredentialKinds
from flow2api.domain.errors import ConfigurationError, Flow2ApiError, UpstreamPausedError
from flow2api.domain.failover import judge
from flow2api.domain.lease import AccountPool
from flow2api.domain.options import Options
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Allowance, Upstream
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.tend_accounts import TendAccounts

log = logging.getLogger(__name__)

_BACK_OFF = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(minutes=30))
_LONGEST_WAIT_S = 60.0
_LOOK_AGAIN_S = 1.0
_MOST_AHEAD = timedelta(minutes=1)
_LEAST_PAUSE = timedelta(seconds=15)
_LEFT_ALONE = frozenset({RestReason.MANUAL, RestReason.AUTH_EXPIRED})
_WAITED_FOR = frozenset({RestReason.REFUSED, RestReason.RATE_LIMITED})
_LOOKED_AT_AGAIN = timedelta(hours=24)


class WarmAccounts:
    """Exchanges, asks plan and credits, and opens a workspace for every enabled account, at a gentle pace.

    A transient failure never disables an account: it is tried again, later each time. An account whose session is
    refused is left alone until it has a new one; one that was called unusable is looked at again once a day. An API key
    is proved anew a little before its day is over, and its upstream has nothing to be kept alive.
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
        kinds: CredentialKinds = SESSIONS,
    ) -> None:
        self._kinds = kinds
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
        self._missing: set[str] = set()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._is_planned = asyncio.Event()
        self._ahead = self._random.random()
        pool.subscribe(self.schedule)

    def schedule(self, account: Account) -> None:
        """Note when this account has to be looked after next."""
        if self._is_left_alone(account):
            # What failed before says nothing about what comes after: a new session, or the operator's switching it on.
            self._failures.pop(account.id, None)
        if account.id not in self._running and account.id not in self._failures:
            self._plan(account.id, self._next_visit(account))

    async def warm(self, account_id: int) -> None:
        """Look after this account now, or join who does.

        Raises:
            Flow2ApiError: What kept it from becoming warm.
        """
        await asyncio.shield(self._visiting(account_id))

    async def run(self) -> None:
        """Visit what is due, for ever."""
        try:
            while True:
                self._pool.lift_rests()
                if not self._options().background_renewal:
                    await self._clock.sleep(_LOOK_AGAIN_S)
                    continue
                account_id = self._take_due()
                if account_id is None:
                    await self._until_due()
                    continue
                self._visiting(account_id)
                await self._clock.sleep(1.0 / self._options().renewals_per_s)
                while len(self._running) >= max(1, self._options().renewals_at_once):
                    await asyncio.wait(self._running.values(), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in self._running.values():
                task.cancel()

    # --- one visit ----------------------------------------------------------------------------------------------------

    def _visiting(self, account_id: int) -> "asyncio.Task[None]":
        task = self._running.get(account_id)
        if task is None:
            task = apart(self._visit(account_id), name=f"warm-{account_id}")
            self._running[account_id] = task
            task.add_done_callback(lambda done: self._visited(account_id, done))
        return task

    def _visited(self, account_id: int, task: "asyncio.Task[None]") -> None:
        """Plan the next visit, whoever asked for this one."""
        del self._running[account_id]
        if task.cancelled():
            return
        account, error = self._pool.get(account_id), task.exception()
        if error is not None and not isinstance(error, Flow2ApiError):
            log.error("visit failed by a fault of ours", extra={"account_id": account_id}, exc_info=error)
        if account is None or error is None or self._is_left_alone(account):
            self._failures.pop(account_id, None)
            if account is not None:
                self._plan(account_id, max(self._next_visit(account), self._clock.now() + _LEAST_PAUSE))
        else:
            self._put_off(account, error)

    async def _visit(self, account_id: int) -> None:
        account = self._pool.get(account_id)
        if account is None or self._is_left_alone(account):
            return
        upstream = self._upstream_of(account)
        try:
            if account.is_warm:
                await self._credentials.renew(account_id, force=True)
            allowance = await self._credentials.call(account, upstream.allowance)
            self._tend.accepted(account_id)
            await self._tend.change(account_id, lambda one: with_allowance(one, allowance))
            if account.workspace is None:
                await self._open_workspace(account, upstream)
            await self._tend.change(account_id, lambda one: one.cured(Cure.SEEN_USABLE))
        except Flow2ApiError as error:
            if judge(error).rests is not None:
                await self._tend.went_wrong(account_id, error)
            raise

    def _upstream_of(self, account: Account) -> Upstream:
        upstream = self._upstreams.get(account.upstream)
        if upstream is None:
            sentence = (
                f"No plugin brings the upstream {account.upstream!r}. Enable the one that does, or remove its accounts."
            )
            if account.upstream not in self._missing:
                self._missing.add(account.upstream)
                log.warning("upstream of accounts is missing", extra={"upstream": account.upstream, "reason": sentence})
            raise ConfigurationError(sentence)
        return upstream

    async def _open_workspace(self, account: Account, upstream: Upstream) -> None:
        title = account.workspace_name or f"{self._clock.now():%b %d - %H:%M}"
        workspace = await self._credentials.call(
            account, lambda access: upstream.open_workspace(access, title), with_session=True
        )
        await self._tend.change(account.id, lambda one: one.working_in(workspace, title))

    # --- when ---------------------------------------------------------------------------------------------------------

    def _next_visit(self, account: Account) -> datetime:
        now = self._clock.now()
        jitter = 0.1 * _share(account.id)
        if (unusable := account.rest_of(RestReason.UNUSABLE)) is not None:
            return unusable.since + _LOOKED_AT_AGAIN * (1 + jitter)
        if account.access_expires_at is None or not account.is_warm:
            return _end_of_rest(account, now)
        if account.access_obtained_at is None:
            return account.access_expires_at - account.renewal_margin() * (1 + jitter)
        life = account.access_expires_at - account.access_obtained_at
        # Other processes have the same accounts: whoever is a little ahead renews an account for all.
        ahead = min(_MOST_AHEAD, life / 100) * self._ahead
        due = account.access_expires_at - min(account.renewal_margin() * (1 + jitter), life / 2) - ahead
        if self._kinds.of(account.upstream).has_key:
            return max(due, account.access_obtained_at + _LEAST_PAUSE)
        hours = self._options().session_keepalive_h * (1 - jitter)
        kept_alive = account.access_obtained_at + timedelta(hours=hours) - ahead
        # Some services give the same token again until it ends: asking for it all the time would not help.
        return max(min(due, kept_alive), account.access_obtained_at + _LEAST_PAUSE)

    def _plan(self, account_id: int, due: datetime) -> None:
        if self._due.get(account_id) != due:
            self._due[account_id] = due
            heapq.heappush(self._queue, (due, account_id))
            if self._queue[0] == (due, account_id):
                self._is_planned.set()

    async def _until_due(self) -> None:
        """Wait until the next visit is due, or one is planned that may be due before."""
        now, self._is_planned = self._clock.now(), asyncio.Event()
        due_s = (self._queue[0][0] - now).total_seconds() if self._queue else _LONGEST_WAIT_S
        with suppress(TimeoutError):
            async with asyncio.timeout(min(due_s, _LONGEST_WAIT_S)):
                await self._is_planned.wait()

    def _take_due(self) -> int | None:
        now = self._clock.now()
        while self._queue and self._queue[0][0] <= now:
            due, account_id = heapq.heappop(self._queue)
            if self._due.get(account_id) != due:
                continue
            del self._due[account_id]
            account = self._pool.get(account_id)
            if account is not None and not self._is_left_alone(account) and account_id not in self._running:
                return account_id
        return None

    def _put_off(self, account: Account, error: BaseException) -> None:
        """Come again later: after a rest that upstream asked for, and not for nothing while it is left alone."""
        now, failures = self._clock.now(), self._failures.get(account.id, 0)
        if isinstance(error, UpstreamPausedError):
            self._failures.setdefault(account.id, 0)
            self._plan(account.id, now + timedelta(seconds=error.retry_after_s) * (1 + self._random.random()))
            return
        self._failures[account.id] = failures + 1
        pause = _BACK_OFF[min(failures, len(_BACK_OFF) - 1)] * (0.75 + self._random.random() / 2)
        self._plan(account.id, max(now + pause, _end_of_rest(account, now)))

    def _is_left_alone(self, account: Account) -> bool:
        if any(rest.reason in _LEFT_ALONE for rest in account.rests):
            return True
        unusable = account.rest_of(RestReason.UNUSABLE)
        return unusable is not None and self._clock.now() < unusable.since + _LOOKED_AT_AGAIN


def _end_of_rest(account: Account, now: datetime) -> datetime:
    """When the service may be asked again that has sent the account away; now, unless it has."""
    rests = (rest.until for rest in account.rests if rest.reason in _WAITED_FOR and rest.is_whole)
    return max((until for until in rests if until is not None), default=now)


def _share(account_id: int) -> float:
    """A fraction that is always the same for one account and spread evenly over many: it keeps them out of step."""
    return (account_id * 0.6180339887498949) % 1.0


def with_allowance(account: Account, allowance: Allowance) -> Account:
    """The account after the service has told its plan and credits, without the rests that these cure."""
    updated = replace(account, tier=allowance.tier, credits=allowance.credits)
    if account.tier is not None and updated.tier != account.tier:
        updated = updated.cured(Cure.TIER_CHANGED)
    has_more = (updated.credits or 0) > (account.credits or 0)
    return updated.cured(Cure.CREDITS_SEEN) if has_more else updated
