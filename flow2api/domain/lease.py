"""The pool: every account in memory, who is ready for what, and leases on them."""

import asyncio
import heapq
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from random import Random
from types import TracebackType

from flow2api.domain.account import Account, RestReason
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import NoEligibleAccountError, PoolBusyError, PoolError
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.coordination import Slots
from flow2api.domain.ports.system import Clock
from flow2api.domain.ready_set import ReadyAccounts
from flow2api.domain.selection import (
    BUSY,
    NO_TAG,
    NO_TIER,
    OCCUPIED,
    PASSING,
    SWITCHED_OFF,
    Candidate,
    Need,
    SelectionPolicy,
    Signature,
    model_refusal,
    refusal,
)

_DRAWS = 8
"""How often a policy is asked again before a set for the very model is made."""

_MODEL_SETS = 64
"""How many such sets are kept; the least recently used one goes first."""

_BUSY_RETRY_S = 5.0


class Lease:
    """The right to use one account once. An async context manager; releasing twice does no harm."""

    __slots__ = ("_kind", "_pool", "_ticket", "account_id")

    def __init__(self, pool: "AccountPool", account_id: int, kind: MediaKind, ticket: str | None) -> None:
        self._pool: AccountPool | None = pool
        self._kind = kind
        self._ticket = ticket
        self.account_id = account_id

    async def release(self) -> None:
        """Give the slot back."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool._give_back(self.account_id, self._kind, self._ticket)

    async def __aenter__(self) -> "Lease":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.release()


class AccountPool:
    """All accounts of all upstreams as this process sees them.

    It decides in memory alone and does no I/O but through the slots port. Choosing costs the same for ten accounts and
    for a hundred thousand.
    """

    def __init__(self, slots: Slots, clock: Clock, random: Random | None = None) -> None:
        self._slots = slots
        self._clock = clock
        self._random = random or Random()  # noqa: S311  # spreads load, guards nothing
        self._candidates: dict[int, Candidate] = {}
        self._sets: dict[Signature, ReadyAccounts] = {}
        self._model_sets: OrderedDict[tuple[Signature, str], tuple[ModelSpec, ReadyAccounts]] = OrderedDict()
        self._lifts: list[tuple[datetime, int]] = []
        self._warming: dict[int, None] = {}
        self._waiters: dict[Signature, deque[asyncio.Future[None]]] = {}
        self._listeners: list[Callable[[Account], None]] = []

    def subscribe(self, listener: Callable[[Account], None]) -> None:
        """Call this with every account that is put in from now on; it must be quick and must not raise."""
        self._listeners.append(listener)

    def __len__(self) -> int:
        return len(self._candidates)

    def __iter__(self) -> Iterator[Account]:
        return (candidate.account for candidate in self._candidates.values())

    def get(self, account_id: int) -> Account | None:
        """The account as this process knows it."""
        candidate = self._candidates.get(account_id)
        return None if candidate is None else candidate.account

    def load_of(self, account_id: int, kind: MediaKind) -> int:
        """How many generations of this kind the account carries for this process."""
        return self._candidates[account_id].load(kind)

    def prepare(self, signatures: Iterable[Signature]) -> None:
        """Make the ready sets of these signatures now, so that no request has to."""
        for signature in signatures:
            self._set_of(signature)

    def put(self, account: Account) -> None:
        """Take in a new account, or what is new about a known one. Its leases are not touched."""
        candidate = self._candidates.get(account.id)
        if candidate is None:
            candidate = self._candidates[account.id] = Candidate(account)
        else:
            candidate.account = account
        now = self._clock.now()
        for rest in account.rests:
            if rest.until is not None and rest.until > now:
                heapq.heappush(self._lifts, (rest.until, account.id))
        if not account.is_warm and account.blocking_rest(now) is None:
            self._warming[account.id] = None
        else:
            self._warming.pop(account.id, None)
        self._restand(candidate, now)
        for listener in self._listeners:
            listener(account)

    def remove(self, account_id: int) -> None:
        """Forget an account; leases on it can still be released."""
        if self._candidates.pop(account_id, None) is None:
            return
        self._warming.pop(account_id, None)
        for ready in self._all_sets():
            ready.forget(account_id)

    def warming(self, upstream: str, avoid: Collection[int] = ()) -> int | None:
        """An account of this upstream that could serve once it is warmed, if there is one."""
        return next(
            (i for i in self._warming if i not in avoid and self._candidates[i].account.upstream == upstream), None
        )

    async def acquire(self, need: Need, policy: SelectionPolicy, avoid: Collection[int] = ()) -> Lease:
        """Choose an account and take a slot on it.

        Args:
            avoid: Accounts that must not be chosen (they were tried before).

        Raises:
            PoolBusyError: Accounts that could serve are busy or rate limited.
            NoEligibleAccountError: There is no account of the kind, or all rest for other reasons.
        """
        self._lift_rests()
        denied = set(avoid)
        while (candidate := self._choose(need, policy, denied)) is not None:
            lease = await self._take(candidate, need.spec.kind)
            if lease is not None:
                return lease
            denied.add(candidate.account.id)
        raise self._why_not(need, avoid)

    async def take(self, account_id: int, kind: MediaKind) -> Lease:
        """Hold one more slot of a given account, whatever its limit: for work that was begun before a restart."""
        candidate = self._candidates.get(account_id)
        if candidate is not None:
            self._carry(candidate, kind, 1)
        return Lease(self, account_id, kind, None)

    async def wait_for_slot(self, signature: Signature) -> None:
        """Return when an account has become ready for this signature (it may be gone again by then)."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line = self._waiters.setdefault(signature, deque())
        line.append(future)
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._wake(signature)
            elif future in line:
                line.remove(future)
            raise
        finally:
            if not line and self._waiters.get(signature) is line:
                del self._waiters[signature]

    def pass_on(self, signature: Signature) -> None:
        """Wake the next one in line if there is still an account ready: to be called by who was woken, when served."""
        if signature in self._waiters and len(self._set_of(signature)):
            self._wake(signature)

    def waiting(self, signature: Signature) -> int:
        """How many wait in line for this signature."""
        return len(self._waiters.get(signature, ()))

    def next_lift_s(self) -> float | None:
        """Seconds until the next rest ends by itself; None when none will."""
        return None if not self._lifts else max(0.0, (self._lifts[0][0] - self._clock.now()).total_seconds())

    def lift_rests(self) -> None:
        """Let accounts whose rest is over come back; `acquire` does so by itself."""
        self._lift_rests()

    def has_any_for(self, signature: Signature) -> bool:
        """Whether some account has the plan and the tag for this signature, be it ready, busy or resting."""
        ready = self._set_of(signature)
        return bool(len(ready)) or bool(ready.refusals().keys() - {NO_TIER, NO_TAG, SWITCHED_OFF})

    def refusals(self, signature: Signature) -> dict[str, int]:
        """How many accounts could not serve this signature now, by reason."""
        self._lift_rests()
        return self._set_of(signature).refusals()

    # --- choosing -----------------------------------------------------------------------------------------------------

    def _choose(self, need: Need, policy: SelectionPolicy, denied: Collection[int]) -> Candidate | None:
        now = self._clock.now()
        if need.only is not None:
            return self._only(need, denied, now)
        ready = self._set_of(need.signature)
        for _ in range(_DRAWS):
            if not len(ready):
                return None
            candidate = policy.select(ready, need, self._random)
            if candidate.account.id not in denied and model_refusal(candidate, need.spec, now) is None:
                return candidate
        fitting = self._model_set(need)
        if not denied:
            return policy.select(fitting, need, self._random) if len(fitting) else None
        return next((one for one in fitting.everyone() if one.account.id not in denied), None)

    def _only(self, need: Need, denied: Collection[int], now: datetime) -> Candidate | None:
        candidate = self._candidates.get(need.only) if need.only is not None and need.only not in denied else None
        if candidate is None or _refusal_for(candidate, need.signature, need.spec, now) is not None:
            return None
        return candidate

    async def _take(self, candidate: Candidate, kind: MediaKind) -> Lease | None:
        account = candidate.account
        limit = account.capacity.of(kind)
        self._carry(candidate, kind, 1)
        if limit is None:
            return Lease(self, account.id, kind, None)
        try:
            ticket = await self._slots.take(account.id, kind, limit)
        except BaseException:
            self._carry(candidate, kind, -1)
            raise
        if ticket is None:
            self._carry(candidate, kind, -1)
            return None
        return Lease(self, account.id, kind, ticket)

    async def _give_back(self, account_id: int, kind: MediaKind, ticket: str | None) -> None:
        candidate = self._candidates.get(account_id)
        if ticket is not None:
            await asyncio.shield(self._slots.give_back(ticket))
        if candidate is not None:
            self._carry(candidate, kind, -1)

    def _carry(self, candidate: Candidate, kind: MediaKind, change: int) -> None:
        had_room = candidate.has_free_slot(kind)
        if kind is MediaKind.IMAGE:
            candidate.images = max(0, candidate.images + change)
        else:
            candidate.videos = max(0, candidate.videos + change)
        if change > 0:
            candidate.last_used = self._clock.monotonic()
        if candidate.has_free_slot(kind) is not had_room:
            self._restand(candidate, self._clock.now(), kind)

    # --- standing -----------------------------------------------------------------------------------------------------

    def _set_of(self, signature: Signature) -> ReadyAccounts:
        ready = self._sets.get(signature)
        if ready is None:
            ready = self._sets[signature] = self._filled(lambda one, now: refusal(one, signature, now), signature)
        return ready

    def _model_set(self, need: Need) -> ReadyAccounts:
        signature, spec = need.signature, need.spec
        key = (signature, spec.name)
        entry = self._model_sets.get(key)
        if entry is None:
            entry = (spec, self._filled(lambda one, now: _refusal_for(one, signature, spec, now), signature))
            self._model_sets[key] = entry
            if len(self._model_sets) > _MODEL_SETS:
                self._model_sets.popitem(last=False)
        self._model_sets.move_to_end(key)
        return entry[1]

    def _filled(self, judge: Callable[[Candidate, datetime], str | None], signature: Signature) -> ReadyAccounts:
        ready, now = ReadyAccounts(), self._clock.now()
        for candidate in self._candidates.values():
            if candidate.account.upstream == signature.upstream:
                ready.stand(candidate, judge(candidate, now))
        return ready

    def _all_sets(self) -> Iterator[ReadyAccounts]:
        yield from self._sets.values()
        for _, ready in self._model_sets.values():
            yield ready

    def _restand(self, candidate: Candidate, now: datetime, kind: MediaKind | None = None) -> None:
        upstream = candidate.account.upstream
        for signature, ready in self._sets.items():
            if signature.upstream == upstream and kind in (None, signature.kind):
                became_ready = ready.stand(candidate, refusal(candidate, signature, now))
                if became_ready and self._waiters:
                    self._wake(signature)
        for (signature, _), (spec, ready) in self._model_sets.items():
            if signature.upstream == upstream and kind in (None, signature.kind):
                ready.stand(candidate, _refusal_for(candidate, signature, spec, now))

    def _wake(self, signature: Signature) -> None:
        line = self._waiters.get(signature)
        while line:
            future = line.popleft()
            if not future.done():
                future.set_result(None)
                return

    def _lift_rests(self) -> None:
        if not self._lifts or self._lifts[0][0] > (now := self._clock.now()):
            return
        while self._lifts and self._lifts[0][0] <= now:
            _, account_id = heapq.heappop(self._lifts)
            candidate = self._candidates.get(account_id)
            if candidate is not None:
                if not candidate.account.is_warm and candidate.account.blocking_rest(now) is None:
                    self._warming[account_id] = None
                self._restand(candidate, now)

    # --- refusing -----------------------------------------------------------------------------------------------------

    def _why_not(self, need: Need, avoid: Collection[int]) -> PoolError:
        """The error that tells why nobody could be chosen; only made when that has happened."""
        reasons = self._reasons(need)
        tried = sum(1 for account_id in avoid if account_id in self._candidates)
        if tried:
            reasons["tried"] = tried
        if OCCUPIED & reasons.keys():
            return PoolBusyError(reasons, retry_after_s=self._retry_after_s(reasons))
        waiting_helps = bool(PASSING & reasons.keys())
        return NoEligibleAccountError(reasons, waiting_helps=waiting_helps)

    def _reasons(self, need: Need) -> dict[str, int]:
        if need.only is None:
            return self._model_set(need).refusals()
        candidate = self._candidates.get(need.only)
        if candidate is None:
            return {"removed": 1}
        why = _refusal_for(candidate, need.signature, need.spec, self._clock.now())
        return {} if why is None else {why: 1}

    def _retry_after_s(self, reasons: dict[str, int]) -> float:
        if reasons.get(BUSY):
            return _BUSY_RETRY_S
        now = self._clock.now()
        ends = [
            rest.until
            for candidate in self._candidates.values()
            for rest in candidate.account.rests
            if rest.reason is RestReason.RATE_LIMITED and rest.until is not None and rest.until > now
        ]
        return (min(ends) - now).total_seconds() if ends else _BUSY_RETRY_S


def _refusal_for(candidate: Candidate, signature: Signature, spec: ModelSpec, now: datetime) -> str | None:
    return refusal(candidate, signature, now) or model_refusal(candidate, spec, now)
