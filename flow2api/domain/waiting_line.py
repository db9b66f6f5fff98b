"""Who waits for a slot: fair between API keys, in the order of coming within a key."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count, islice

from flow2api.domain.catalog import ModelSpec
from flow2api.domain.media import MediaKind
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
        needs: What would serve it, the dearest first; never empty.
        signatures: Those of the needs, in the same order.
        avoid: Accounts that it must not be given.
        policy: By what an account is chosen for it when several are free.
        given: The account that it is given, on which a slot is counted for it already.
        need: Which of its needs that account is for; the first while there is none.
    """

    number: int
    needs: tuple[Need, ...]
    signatures: tuple[Signature, ...]
    avoid: Collection[int]
    policy: SelectionPolicy
    need: Need
    given: Candidate | None = None
    _is_woken: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    @property
    def index(self) -> int:
        """Which of its needs it is."""
        return next(index for index, need in enumerate(self.needs) if need is self.need)

    @property
    def places(self) -> "Collection[_Place]":
        """Where it stands against others."""
        return {_place(signature) for signature in self.signatures}

    def give(self, candidate: Candidate, need: Need) -> None:
        """End the wait with this account."""
        self.given, self.need = candidate, need
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

    def served_by(
        self, candidate: Candidate, servable: Collection[Signature], is_refused: Callable[[ModelSpec], bool]
    ) -> Need | None:
        """The first of its needs that this account can serve; None when it can serve none.

        Args:
            servable: The signatures that the account can serve now.
            is_refused: Whether it is refused for a model all the same.
        """
        if candidate.account.id in self.avoid:
            return None
        for need, signature in zip(self.needs, self.signatures, strict=True):
            if signature in servable and need.only in (None, candidate.account.id) and not is_refused(need.spec):
                return need
        return None


_Lines = dict[Signature, dict[Waiter, None]]
_Place = tuple[str, MediaKind]
"""Upstream and kind: who waits for the same slots."""


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

    def __contains__(self, waiter: Waiter) -> bool:
        return waiter in self._keys.get(waiter.need.key_id, {}).get(waiter.signatures[0], {})

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

    def join(self, need: Need, avoid: Collection[int], policy: SelectionPolicy, others: Sequence[Need] = ()) -> Waiter:
        """Stand at the end of one's key's line; a key that had none stands behind the others.

        Args:
            others: What would serve as well, where the need itself cannot be met; of the same key.
        """
        needs = (need, *others)
        waiter = Waiter(next(self._numbers), needs, tuple(one.signature for one in needs), avoid, policy, need)
        lines = self._keys.setdefault(need.key_id, {})
        for signature in {*waiter.signatures}:
            lines.setdefault(signature, {})[waiter] = None
            self._sizes[signature] += 1
        return waiter

    def rejoin(self, waiter: Waiter) -> None:
        """Stand where one stood before one was served with what turned out to be taken."""
        waiter.given, waiter.need = None, waiter.needs[0]
        lines = self._keys.pop(waiter.need.key_id, {})
        for signature in {*waiter.signatures}:
            lines[signature] = dict.fromkeys(sorted((*lines.get(signature, ()), waiter), key=_number))
            self._sizes[signature] += 1
        self._keys = {waiter.need.key_id: lines, **self._keys}

    def leave(self, waiter: Waiter) -> None:
        """Stand in the line no more; leaving twice does no harm."""
        if waiter not in self:
            return
        key_id = waiter.need.key_id
        lines = self._keys[key_id]
        for signature in {*waiter.signatures}:
            line = lines[signature]
            del line[waiter]
            self._sizes[signature] -= 1
            if not line:
                del lines[signature]
            if not self._sizes[signature]:
                del self._sizes[signature]
        if not lines:
            del self._keys[key_id]

    def serve(self, waiter: Waiter, candidate: Candidate, need: Need | None = None) -> None:
        """Give this account to one of the line, for one of his needs; his key has had its turn."""
        self.leave(waiter)
        lines = self._keys.pop(waiter.need.key_id, None)
        if lines is not None:
            self._keys[waiter.need.key_id] = lines
        waiter.give(candidate, need or waiter.need)

    def anyone(self) -> Waiter | None:
        """Somebody who waits; None when nobody does."""
        return next((waiter for lines in self._keys.values() for line in lines.values() for waiter in line), None)

    def first_for(self, candidate: Candidate, now: datetime) -> tuple[Waiter, Need] | None:
        """Whose turn it is among those whom this account can serve now, and with what."""
        servable = {one for one in self._sizes if refusal(candidate, one, now) is None}
        if not servable:
            return None
        known: dict[str, bool] = {}

        def is_refused(spec: ModelSpec) -> bool:
            if spec.name not in known:
                known[spec.name] = model_refusal(candidate, spec, now) is not None
            return known[spec.name]

        def served(waiter: Waiter) -> Need | None:
            return waiter.served_by(candidate, servable, is_refused)

        for lines in self._keys.values():
            if (first := _first(lines, servable, served)) is not None:
                return first
        return None

    def in_turn(self) -> Iterator[Waiter]:
        """The first of each key in turn, then the second of each, and so on; who is served or leaves meanwhile is left out."""
        queues = deque(_by_number(lines) for lines in self._keys.values())
        while queues:
            queue = queues.popleft()
            if (waiter := next(queue, None)) is not None:
                if waiter in self:
                    yield waiter
                queues.append(queue)

    def position(self, waiter: Waiter) -> int:
        """How many slots have to come free until it is his turn, if nobody joins or leaves; rivals are of the same kind.

        Who can be served by several upstreams stands where he stands best.
        """
        return min(self.positions(waiter).values())

    def positions(self, waiter: Waiter) -> Mapping[_Place, int]:
        """The position by upstream and kind of media."""
        return {place: self._position(waiter, place) for place in waiter.places}

    def position_among_all(self, waiter: Waiter) -> int:
        """The position where everybody waits for the same, whatever the upstream and the kind: for room under a limit."""
        return self._position(waiter, None)

    def _position(self, waiter: Waiter, place: _Place | None) -> int:
        key_id, is_behind = waiter.need.key_id, True
        before = sum(one.number < waiter.number for one in _rivals(self._keys[key_id], place))
        ahead = before + 1
        for other_id, lines in self._keys.items():
            if other_id == key_id:
                is_behind = False
            elif before + is_behind:
                ahead += min(len(_rivals(lines, place)), before + is_behind)
        return ahead


def _first(
    lines: _Lines, servable: Collection[Signature], served: Callable[[Waiter], Need | None]
) -> tuple[Waiter, Need] | None:
    """The one of a key that came first among those that can be served, and with what."""
    found: list[tuple[Waiter, Need]] = []
    for signature, line in lines.items():
        if signature in servable:
            some = ((waiter, need) for waiter in line if (need := served(waiter)) is not None)
            found += islice(some, 1)
    return min(found, key=lambda one: one[0].number, default=None)


def _by_number(lines: _Lines) -> Iterator[Waiter]:
    """Those of a key in the order in which they came, each once."""
    if len(lines) == 1:
        return iter([waiter for line in lines.values() for waiter in line])
    return iter(sorted({waiter for line in lines.values() for waiter in line}, key=_number))


def _rivals(lines: _Lines, place: _Place | None) -> Collection[Waiter]:
    """Those of a key who wait for the same slots, each once; all of them where no place is given."""
    found = [line for signature, line in lines.items() if place is None or _place(signature) == place]
    return found[0] if len(found) == 1 else set[Waiter]().union(*found)


def _place(signature: Signature) -> _Place:
    return signature.upstream, signature.kind


def _number(waiter: Waiter) -> int:
    return waiter.number
