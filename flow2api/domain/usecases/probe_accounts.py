"""Tests accounts while operators watch: the way, the sign-in, the allowance and the workspace, one after the other."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace

from flow2api.domain.account import Account, Cure
from flow2api.domain.apart import apart
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import AccountNotFoundError, ConflictError, Flow2ApiError, ProxyUnavailableError
from flow2api.domain.failover import judge
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Upstream
from flow2api.domain.probe import Probe, ProbePart, ProbeStep, StepState
from flow2api.domain.proxy import Proxy
from flow2api.domain.usecases.check_proxies import Checked
from flow2api.domain.usecases.choose_proxy import Way
from flow2api.domain.usecases.refresh_account import why_left_alone
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.tend_accounts import TendAccounts
from flow2api.domain.usecases.warm_accounts import WarmAccounts, with_allowance

log = logging.getLogger(__name__)

AT_ONCE = 4
_KEPT = 2000

Found = Mapping[str, str | int]
_NOTHING: Found = {}


class ProbeAccounts:
    """Nothing that it tries costs credits. What it learns is booked like anything that the keeper learns.

    An account whose session has ended is not exchanged again, and says so. One that was called unusable can be used again
    when all went well. The last test of each account is remembered until the process ends, of 2000 accounts at most.

    Args:
        way: How an account reaches upstream.
        check: Tries out a proxy.
    """

    def __init__(
        self,
        pool: AccountPool,
        upstreams: Mapping[str, Upstream],
        credentials: RenewCredentials,
        warm: WarmAccounts,
        tend: TendAccounts,
        audit_log: AuditLog,
        clock: Clock,
        way: Callable[[int], Way],
        check: Callable[[Proxy], Awaitable[Checked]],
    ) -> None:
        self._pool = pool
        self._upstreams = upstreams
        self._credentials = credentials
        self._warm = warm
        self._tend = tend
        self._audit_log = audit_log
        self._clock = clock
        self._way = way
        self._check = check
        self._probes: OrderedDict[int, Probe] = OrderedDict()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._turn = asyncio.Semaphore(AT_ONCE)

    def testing(self) -> Collection[int]:
        """The accounts whose test is under way."""
        return self._running.keys()

    def last(self, account_id: int) -> Probe | None:
        """The last test of an account, over or not; None when nobody has tested it since the start."""
        return self._probes.get(account_id)

    async def begin(self, account_id: int, actor: Actor) -> Probe:
        """Begin a test, or join the one that is under way; that it is wanted is put down before.

        Raises:
            AccountNotFoundError: It is not there.
        """
        account = self._account(account_id)
        if account_id not in self._running:
            entry = AuditEntry(
                at=self._clock.now(), actor=actor, action=AuditAction.ACCOUNT_TESTED, subject=str(account_id)
            )
            await self._audit_log.note(entry)
            self._start(account, actor)
        return self._probes[account_id]

    async def __call__(self, account_id: int, actor: Actor) -> Probe:
        """The test from its beginning to its end.

        Raises:
            AccountNotFoundError: It is not there.
        """
        await self.begin(account_id, actor)
        await asyncio.shield(self._running[account_id])
        return self._probes[account_id]

    async def aclose(self) -> None:
        """Break off what is under way."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- one test -----------------------------------------------------------------------------------------------------

    def _start(self, account: Account, actor: Actor) -> None:
        if account.id in self._running:
            return  # somebody else was faster while this was put down
        self._keep(Probe(account_id=account.id, by=actor.name, began_at=self._clock.now()))
        task = apart(self._test(account.id), name=f"test-{account.id}")
        self._running[account.id] = task
        task.add_done_callback(lambda done: self._running.pop(account.id, None))

    def _keep(self, probe: Probe) -> None:
        self._probes[probe.account_id] = probe
        self._probes.move_to_end(probe.account_id)
        while len(self._probes) > _KEPT:
            self._probes.popitem(last=False)

    async def _test(self, account_id: int) -> None:
        steps = {
            ProbePart.WAY: self._reach,
            ProbePart.SIGN_IN: self._sign_in,
            ProbePart.ALLOWANCE: self._ask,
            ProbePart.WORKSPACE: self._find_workspace,
        }
        is_fine = True
        async with self._turn:
            for part, step in steps.items():
                is_fine = is_fine and await self._take(account_id, part, step)
            if is_fine:
                await self._tend.change(account_id, lambda one: one.cured(Cure.SEEN_USABLE))
            unsaid = [one for one in self._probes[account_id].steps if one.state is StepState.WAITING]
            for one in unsaid:
                self._note(account_id, replace(one, state=StepState.SKIPPED))
            self._keep(replace(self._probes[account_id], ended_at=self._clock.now()))

    async def _take(self, account_id: int, part: ProbePart, step: Callable[[Account], Awaitable[Found]]) -> bool:
        began = self._clock.monotonic()
        self._note(account_id, ProbeStep(part, StepState.RUNNING))
        state, code, message, found = StepState.PASSED, "", "", _NOTHING
        try:
            found = await step(self._account(account_id))
        except Flow2ApiError as error:
            state, code, message = StepState.FAILED, error.code, error.message
        except Exception:
            log.exception("test of an account failed by a fault of ours", extra={"account_id": account_id})
            state, code, message = StepState.FAILED, Flow2ApiError.code, "The test itself broke; the log tells why."
        self._note(account_id, ProbeStep(part, state, self._clock.monotonic() - began, code, message, found))
        return state is StepState.PASSED

    def _note(self, account_id: int, step: ProbeStep) -> None:
        self._keep(self._probes[account_id].with_step(step))

    # --- steps --------------------------------------------------------------------------------------------------------

    async def _reach(self, account: Account) -> Found:
        if account.upstream not in self._upstreams:
            raise ConflictError(f"No plugin offers its upstream {account.upstream!r}.")
        proxy = self._way(account.id).proxy
        if proxy is None:
            return {}
        checked = await self._check(proxy)
        if checked.passage is None:
            raise ProxyUnavailableError(checked.fault or "Nothing came through.", is_certain=checked.is_certain)
        return {"proxy": proxy.name, "egress": checked.passage.egress or ""}

    async def _sign_in(self, account: Account) -> Found:
        await self._credentials.renew(account.id, force=True)
        return {}

    async def _ask(self, account: Account) -> Found:
        try:
            allowance = await self._credentials.call(account, self._upstreams[account.upstream].allowance)
        except Flow2ApiError as error:
            if judge(error).rests is not None:
                await self._tend.went_wrong(account.id, error)
            raise
        self._tend.accepted(account.id)
        await self._tend.change(account.id, lambda one: with_allowance(one, allowance))
        known = {} if allowance.credits is None else {"credits": allowance.credits}
        return {"tier": allowance.tier.name.lower(), **known}

    async def _find_workspace(self, account: Account) -> Found:
        if account.workspace is None and why_left_alone(account) is None:
            await self._warm.warm(account.id)
        return {"workspace": self._account(account.id).workspace or ""}

    def _account(self, account_id: int) -> Account:
        account = self._pool.get(account_id)
        if account is None:
            raise AccountNotFoundError(account_id)
        return account
