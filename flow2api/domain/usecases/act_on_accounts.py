"""Does one thing to many accounts, a few at once, and reports what came of it."""

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from flow2api.domain.account import Account, RestReason
from flow2api.domain.apart import apart
from flow2api.domain.audit import Actor
from flow2api.domain.errors import ConflictError, Flow2ApiError
from flow2api.domain.lease import AccountPool
from flow2api.domain.ports.system import Clock
from flow2api.domain.probe import ProbeStep
from flow2api.domain.usecases.change_account import AccountChange, check_change, left_by, reversal
from flow2api.domain.usecases.delete_accounts import RestoreAccounts
from flow2api.domain.usecases.operate_accounts import OperateAccounts
from flow2api.domain.usecases.probe_accounts import ProbeAccounts
from flow2api.domain.usecases.refresh_account import RefreshAccount

log = logging.getLogger(__name__)

AT_ONCE = 4
_RUNS_KEPT = 20
_RUNS_AT_ONCE = 3
_FAILURES_KEPT = 50
_UNDOABLE = 3
"""So many of the last runs know how to take back what they did: a pool may be large."""
_FIRST_BELOW = 900_000_000
"""Runs are numbered from anywhere below, so that a page of another server, or of before a restart, means none of these."""
_NOTHING = AccountChange()

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
    UNDO = "undo"
    """Take back what another run did; `ActOnAccounts.undo` begins it."""


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
        change: What it sets, when it is a `BulkAction.CHANGE`.
        ways_back: What takes it back, by account, of those to which it made a difference.
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
    change: AccountChange = _NOTHING
    ways_back: dict[int, AccountChange] = field(default_factory=dict)

    @property
    def can_be_undone(self) -> bool:
        """Whether there is something that can still be taken back."""
        return self.is_over and bool(self.ways_back)

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes."""
        return self.ended_at is not None


class ActOnAccounts:
    """Every account has its own entry in the audit log. One that fails stops no other. The last 20 runs are remembered."""

    def __init__(
        self,
        pool: AccountPool,
        accounts: OperateAccounts,
        restore: RestoreAccounts,
        refresh: RefreshAccount,
        probes: ProbeAccounts,
        clock: Clock,
    ) -> None:
        self._pool = pool
        self._accounts = accounts
        self._restore = restore
        self._refresh = refresh
        self._probes = probes
        self._clock = clock
        self._runs: OrderedDict[int, BulkRun] = OrderedDict()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._number = secrets.randbelow(_FIRST_BELOW)

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
        change = change or _NOTHING
        check_change(change)
        run = self._new_run(action, account_ids, actor, change)
        self._start(run, account_ids, self._doing(run, actor))
        return run

    def undo(self, number: int, actor: Actor) -> BulkRun:
        """Begin to take back what a run did, once; what others have set differently since stays as they set it.

        Raises:
            ConflictError: It goes on still, has nothing that can be taken back (any more), or three other runs go on.
        """
        former = self._runs.get(number)
        if former is None or not former.can_be_undone:
            raise ConflictError("That can no longer be undone; look at the accounts one by one.")
        ways_back = former.ways_back
        run = self._new_run(BulkAction.UNDO, list(ways_back), actor, _NOTHING)
        former.ways_back = {}
        self._start(run, ways_back, self._undoing(former, ways_back, actor))
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

    def _new_run(self, action: BulkAction, account_ids: Sequence[int], actor: Actor, change: AccountChange) -> BulkRun:
        if len(self._tasks) >= _RUNS_AT_ONCE:
            raise ConflictError(f"{_RUNS_AT_ONCE} runs over many accounts go on already; wait until one is over.")
        self._number += 1
        total = len(set(account_ids))
        run = BulkRun(self._number, action, total, actor.name, self._clock.now(), change=change)
        self._runs[run.number] = run
        while len(self._runs) > _RUNS_KEPT:
            self._runs.popitem(last=False)
        for former in list(self._runs.values())[:-_UNDOABLE]:
            if former.is_over:
                former.ways_back = {}
        return run

    def _start(self, run: BulkRun, account_ids: Iterable[int], do: Doing) -> None:
        task = apart(self._carry_out(run, list(dict.fromkeys(account_ids)), do), name=f"bulk-{run.number}")
        self._tasks[run.number] = task
        task.add_done_callback(lambda done: self._tasks.pop(run.number, None))

    def _doing(self, run: BulkRun, actor: Actor) -> Doing:
        doings: dict[BulkAction, Doing] = {
            BulkAction.TEST: lambda one: self._test(one, actor),
            BulkAction.REFRESH: lambda one: self._refresh(one, actor),
            BulkAction.PAUSE: lambda one: self._switch(run, one, actor),
            BulkAction.ENABLE: lambda one: self._switch(run, one, actor),
            BulkAction.CHANGE: lambda one: self._change(run, one, actor),
            BulkAction.DELETE: lambda one: self._delete(run, one, actor),
        }
        return doings[run.action]

    def _undoing(self, former: BulkRun, ways_back: Mapping[int, AccountChange], actor: Actor) -> Doing:
        accounts, restore = self._accounts, self._restore
        doings: dict[BulkAction, Doing] = {
            BulkAction.PAUSE: lambda one: accounts.end_pause(one, actor),
            BulkAction.ENABLE: lambda one: accounts.set_enabled(one, enabled=False, actor=actor),
            BulkAction.CHANGE: lambda one: accounts.change(
                one, ways_back[one], actor, seen=left_by(former.change, ways_back[one])
            ),
            BulkAction.DELETE: lambda one: restore(one, actor),
        }
        return doings[former.action]

    async def _test(self, account_id: int, actor: Actor) -> ProbeStep | None:
        return (await self._probes(account_id, actor)).failure

    async def _switch(self, run: BulkRun, account_id: int, actor: Actor) -> None:
        before = await self._accounts.get(account_id)
        after = await self._accounts.set_enabled(account_id, enabled=run.action is BulkAction.ENABLE, actor=actor)
        if _is_off(before) is not _is_off(after):
            run.ways_back[account_id] = _NOTHING

    async def _change(self, run: BulkRun, account_id: int, actor: Actor) -> None:
        way_back = reversal(await self._accounts.get(account_id), run.change)
        await self._accounts.change(account_id, run.change, actor)
        if way_back != _NOTHING:
            run.ways_back[account_id] = way_back

    async def _delete(self, run: BulkRun, account_id: int, actor: Actor) -> None:
        await self._accounts.remove(account_id, actor)
        if self._restore.keeps_deleted:
            run.ways_back[account_id] = _NOTHING

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


def _is_off(account: Account) -> bool:
    return account.rest_of(RestReason.MANUAL) is not None
