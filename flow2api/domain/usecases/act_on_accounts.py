"""Does one thing to many accounts, a few at once, and reports what came of it."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from flow2api.domain.apart import apart
from flow2api.domain.audit import Actor
from flow2api.domain.errors import ConflictError, Flow2ApiError
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.system import Clock
from flow2api.domain.probe import ProbeStep
from flow2api.domain.usecases.change_account import AccountChange, check_change
from flow2api.domain.usecases.operate_accounts import OperateAccounts
from flow2api.domain.usecases.probe_accounts import ProbeAccounts
from flow2api.domain.usecases.refresh_account import RefreshAccount

log = logging.getLogger(__name__)

AT_ONCE = 4
_RUNS_KEPT = 20
_RUNS_AT_ONCE = 3
_FAILURES_KEPT = 50

Doing = Callable[[int], Awaitable[object]]
"""What is done to one account; a step of a test that comes back is the one that failed."""


class BulkAction(StrEnum):
    """What can be done to many accounts."""

    TEST = "test"
    REFRESH = "refresh"
    PAUSE = "pause"
    ENABLE = "enable"
    CHANGE = "change"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class BulkFailure:
    """Why it could not be done to one of them.

    Attributes:
        name: What the account is, or was, called.
    """

    account_id: int
    name: str
    code: str
    message: str


@dataclass(slots=True)
class BulkRun:
    """One thing that is done to many accounts, and how far it has come.

    Attributes:
        number: By which it is found again.
        done: To how many it was done.
        failed: To how many it could not be done.
        failures: Of those the first 50.
        ended_at: None while it goes on.
    """

    number: int
    action: BulkAction
    total: int
    by: str
    began_at: datetime
    done: int = 0
    failed: int = 0
    failures: list[BulkFailure] = field(default_factory=list)
    ended_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.ended_at is not None


class ActOnAccounts:
    """Every account has its own entry in the audit log. One that fails stops no other. The last 20 runs are remembered."""

    def __init__(
        self, pool: AccountPool, accounts: OperateAccounts, refresh: RefreshAccount, probes: ProbeAccounts, clock: Clock
    ) -> None:
        self._pool = pool
        self._accounts = accounts
        self._refresh = refresh
        self._probes = probes
        self._clock = clock
        self._runs: OrderedDict[int, BulkRun] = OrderedDict()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._number = 0

    def begin(
        self, account_ids: Sequence[int], action: BulkAction, actor: Actor, change: AccountChange | None = None
    ) -> BulkRun:
        """Begin with these accounts, each once.

        Args:
            change: For `BulkAction.CHANGE`.

        Raises:
            UnsupportedInputError: The change cannot be.
            ConflictError: Three other runs go on.
        """
        change = change or AccountChange()
        check_change(change)
        if len(self._tasks) >= _RUNS_AT_ONCE:
            raise ConflictError(f"{_RUNS_AT_ONCE} runs over many accounts go on already; wait until one is over.")
        chosen = list(dict.fromkeys(account_ids))
        self._number += 1
        run = BulkRun(self._number, action, len(chosen), actor.name, self._clock.now())
        self._runs[run.number] = run
        while len(self._runs) > _RUNS_KEPT:
            self._runs.popitem(last=False)
        task = apart(self._carry_out(run, chosen, self._doing(action, actor, change)), name=f"bulk-{run.number}")
        self._tasks[run.number] = task
        task.add_done_callback(lambda done: self._tasks.pop(run.number, None))
        return run

    def get(self, number: int) -> BulkRun | None:
        """A run by its number; None when it is not remembered."""
        return self._runs.get(number)

    async def wait(self, run: BulkRun, timeout_s: float) -> None:
        """Wait for the end of a run, but no longer than this."""
        if (task := self._tasks.get(run.number)) is not None:
            await asyncio.wait([task], timeout=timeout_s)

    async def aclose(self) -> None:
        """Break off what is under way; what is done stays done."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- carrying out -------------------------------------------------------------------------------------------------

    def _doing(self, action: BulkAction, actor: Actor, change: AccountChange) -> Doing:
        accounts = self._accounts
        doings: dict[BulkAction, Doing] = {
            BulkAction.TEST: lambda one: self._test(one, actor),
            BulkAction.REFRESH: lambda one: self._refresh(one, actor),
            BulkAction.PAUSE: lambda one: accounts.set_enabled(one, enabled=False, actor=actor),
            BulkAction.ENABLE: lambda one: accounts.set_enabled(one, enabled=True, actor=actor),
            BulkAction.CHANGE: lambda one: accounts.change(one, change, actor),
            BulkAction.DELETE: lambda one: accounts.remove(one, actor),
        }
        return doings[action]

    async def _test(self, account_id: int, actor: Actor) -> ProbeStep | None:
        return (await self._probes(account_id, actor)).failure

    async def _carry_out(self, run: BulkRun, chosen: list[int], do: Doing) -> None:
        waiting = iter(chosen)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(AT_ONCE, len(chosen))):
                    group.create_task(self._work_off(run, waiting, do))
        finally:
            run.ended_at = self._clock.now()

    async def _work_off(self, run: BulkRun, waiting: Iterator[int], do: Doing) -> None:
        for account_id in waiting:
            account = self._pool.get(account_id)
            name = str(account_id) if account is None else account.name or account.email or str(account_id)
            try:
                outcome = await do(account_id)
            except Flow2ApiError as error:
                self._failed(run, BulkFailure(account_id, name, error.code, error.message))
            except Exception:
                log.exception("bulk action failed by a fault of ours", extra={"account_id": account_id})
                message = "It failed by a fault of ours; the log tells why."
                self._failed(run, BulkFailure(account_id, name, Flow2ApiError.code, message))
            else:
                if isinstance(outcome, ProbeStep):
                    self._failed(run, BulkFailure(account_id, name, outcome.code, outcome.message))
                else:
                    run.done += 1
            await asyncio.sleep(0)

    @staticmethod
    def _failed(run: BulkRun, failure: BulkFailure) -> None:
        run.failed += 1
        if len(run.failures) < _FAILURES_KEPT:
            run.failures.append(failure)
