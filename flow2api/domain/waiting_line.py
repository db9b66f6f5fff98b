"""Who waits for a slot: fair between API keys, in the order of coming within a key."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from flow2api.domain.selection import Candidate, Need, SelectionPolicy, Signature, model_refusal, refusal


@dataclass(frozen=True, slots=True)
class Turn:
    """Where somebody stands in the line.

    Attributes:
        position: From 1, as things stand now; who comes later to a shorter queue of his own may still go first.
        starts_in_s: When it may be his turn, by the recent pace; None when nothing is known of it.
    """

    position: int
    starts_in_s: float | None = None

    def __str__(self) -> str:
        """For people."""
        when = "" if self.starts_in_s is None else f", about {max(1, round(self.starts_in_s))} s"
        return f"waiting, position {self.position}{when}"


@dataclass(slots=True, eq=False)
class Waiter:
    """One request that waits.

    Attributes:
        number: Its place in the order of coming, over all keys and signatures.
        avoid: Accounts that it must not be given.
        policy: By what an account is chosen for it when several are free.
        given: The account that it is given, on which a slot is counted for it already.
    """

    number: int
    need: Need
    signature: Signature
    avoid: Collection[int]
    policy: SelectionPolicy | None = None
    given: Candidate | None = None
    _is_woken: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def give(self, candidate: Candidate) -> None:
        """End the wait with this account."""
        self.given = candidate
        self.wake()

    def wake(self) -> None:
        """Let it look whether waiting still makes sense."""
        self._is_woken.set()

    async def woken(self, within_s: float) -> None:
        """Wait until it is woken, for so long at most."""
        self._is_woken.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._is_woken.wait()

    def may_have(self, candidate: Candidate) -> bool:
        """Whether nothing but the model speaks against this account."""
        account_id = candidate.account.id
        return account_id not in self.avoid and self.need.only in (None, account_id)


_Lines = dict[Signature, dict[Waiter, None]]


class WaitingLine:
    """The waiting requests, by API key.

    A deficit round robin between keys: each takes one slot a turn, for every request takes one slot, and then goes behind
    all others; one that an account cannot serve keeps its turn. Within a key who came first goes first. So a key with
    hundreds of requests delays the only one of another key by no more than one turn.
    """

    def __init__(self) -> None:
        self._numbers = count()
        self._keys: dict[int | None, _Lines] = {}
        self._sizes: Counter[Signature] = Counter()

    def __bool__(self) -> bool:
        return bool(self._keys)

    def waiting(self, signature: Signature) -> int:
        """How many wait for this signature."""
        return self._sizes[signature]

    def signatures(self) -> Collection[Signature]:
        """For which signatures somebody waits."""
        return [signature for signature, size in self._sizes.items() if size > 0]

    def wake(self, signature: Signature) -> None:
        """Let everybody who waits for this signature look whether it still makes sense."""
        for lines in self._keys.values():
            for waiter in lines.get(signature, ()):
                waiter.wake()

    def join(self, need: Need, avoid: Collection[int], policy: SelectionPolicy | None = None) -> Waiter:
        """Stand at the end of one's key's line; a key that had none stands behind the others."""
        waiter = Waiter(next(self._numbers), need, need.signature, avoid, policy)
        lines = self._keys.setdefault(need.key_id, {})
        lines.setdefault(waiter.signature, {})[waiter] = None
        self._sizes[waiter.signature] += 1
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Stand in the line no more; leaving twice does no harm."""
        lines = self._keys.get(waiter.need.key_id, {})
        line = lines.get(waiter.signature, {})
        if waiter not in line:
            return
        del line[waiter]
        self._sizes[waiter.signature] -= 1
        if not line:
            del lines[waiter.signature]
            if not self._sizes[waiter.signature]:
                del self._sizes[waiter.signature]
        if not lines:
            del self._keys[waiter.need.key_id]

    def serve(self, waiter: Waiter, candidate: Candidate) -> None:
        """Give this account to one of the line; his key has had its turn."""
        self.leave(waiter)
        lines = self._keys.pop(waiter.need.key_id, None)
        if lines is not None:
            self._keys[waiter.need.key_id] = lines
        waiter.give(candidate)

    def first_for(self, candidate: Candidate, now: datetime) -> Waiter | None:
        """Whose turn it is among those whom this account can serve now."""
        servable = {one for one in self._sizes if refusal(candidate, one, now) is None}
        if not servable:
            return None
        refused: dict[str, bool] = {}

        def fits(waiter: Waiter) -> bool:
            spec = waiter.need.spec
            if spec.name not in refused:
                refused[spec.name] = model_refusal(candidate, spec, now) is not None
            return not refused[spec.name] and waiter.may_have(candidate)

        return next((first for lines in self._keys.values() if (first := _first(lines, servable, fits))), None)

    def in_turn(self) -> Iterator[Waiter]:
        """The first of each key in turn, then the second of each, and so on."""
        queues = [sorted((w for line in lines.values() for w in line), key=_number) for lines in self._keys.values()]
        for place in range(max(map(len, queues), default=0)):
            yield from (queue[place] for queue in queues if place < len(queue))

    def position(self, waiter: Waiter) -> int:
        """How many slots have to come free until it is his turn, if nobody joins or leaves; rivals are of the same kind."""
        before = sum(1 for one in self._rivals(self._keys[waiter.need.key_id], waiter) if one.number < waiter.number)
        ahead, is_behind = before + 1, True
        for key_id, lines in self._keys.items():
            if key_id == waiter.need.key_id:
                is_behind = False
                continue
            rivals = sum(len(line) for one, line in lines.items() if _are_rivals(one, waiter.signature))
            ahead += min(rivals, before + is_behind)
        return ahead

    def _rivals(self, lines: _Lines, waiter: Waiter) -> Iterator[Waiter]:
        return (one for mine, line in lines.items() if _are_rivals(mine, waiter.signature) for one in line)


def _first(lines: _Lines, servable: Collection[Signature], fits: Callable[[Waiter], bool]) -> Waiter | None:
    """The one of a key that came first among those that fit."""
    found = (next(filter(fits, line), None) for signature, line in lines.items() if signature in servable)
    return min((one for one in found if one is not None), key=_number, default=None)


def _are_rivals(one: Signature, other: Signature) -> bool:
    return one.kind is other.kind and one.upstream == other.upstream


def _number(waiter: Waiter) -> int:
    return waiter.number
