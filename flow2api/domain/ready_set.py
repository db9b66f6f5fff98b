"""The accounts that could serve one kind of request, kept current by the accounts' own transitions."""

from bisect import insort
from collections import Counter
from collections.abc import Iterator
from random import Random

from flow2api.domain.selection import NO_TAG, SWITCHED_OFF, Candidate
from flow2api.domain.spread_dict import SpreadDict


class _Level:
    """The ready accounts of one priority, in one array for each weight."""

    __slots__ = ("buckets", "count", "total_weight")

    def __init__(self) -> None:
        self.buckets: dict[int, list[Candidate]] = {}
        self.count = 0
        self.total_weight = 0


class Census:
    """How many accounts of a service there are, and how many of them are switched off, for one kind of media."""

    __slots__ = ("off", "total")

    def __init__(self) -> None:
        self.total = 0
        self.off = 0


class ReadyAccounts:
    """Every account with its standing for one signature; the ready ones by priority and weight.

    Where a tag is asked for, only those that carry it have to be told of: of the others the census tells how many there are.

    Entering and leaving is O(1): arrays with swap-removal, and each account's place is known. A counter per refusal
    answers how many may not serve for what, without a scan.
    """

    __slots__ = ("_all", "_levels", "_order", "_places", "_standing", "reasons")

    def __init__(self, everyone: Census | None = None) -> None:
        """Make an empty one.

        Args:
            everyone: All accounts of the service and kind, for a signature with a tag.
        """
        self._all = everyone
        self._levels: dict[int, _Level] = {}
        self._order: list[int] = []
        self._places: SpreadDict[tuple[int, int, int]] = SpreadDict()
        self._standing: SpreadDict[str | None] = SpreadDict()
        self.reasons: Counter[str] = Counter()

    def stand(self, candidate: Candidate, refusal: str | None) -> bool:
        """Note how an account stands now.

        Returns:
            Whether it has just become ready.
        """
        account_id = candidate.account.id
        known = account_id in self._standing
        before = self._standing.get(account_id)
        if known and before == refusal:
            if refusal is None and self._has_moved(candidate):
                self._leave(account_id)
                self._enter(candidate)
            return False
        if known:
            if before is None:
                self._leave(account_id)
            else:
                self.reasons[before] -= 1
        self._standing[account_id] = refusal
        if refusal is None:
            self._enter(candidate)
            return True
        self.reasons[refusal] += 1
        return False

    def forget(self, account_id: int) -> None:
        """The account is gone."""
        if account_id not in self._standing:
            return
        before = self._standing.pop(account_id)
        if before is None:
            self._leave(account_id)
        else:
            self.reasons[before] -= 1

    def refusals(self) -> dict[str, int]:
        """How many accounts may not serve now, by reason."""
        if self._all is not None:
            carriers_on = len(self._standing) - self.reasons[SWITCHED_OFF]
            others = {SWITCHED_OFF: self._all.off, NO_TAG: self._all.total - self._all.off - carriers_on}
            return {reason: count for reason, count in {**self.reasons, **others}.items() if count > 0}
        return {reason: count for reason, count in self.reasons.items() if count > 0}

    @property
    def ready(self) -> int:
        """How many may serve now, of every priority."""
        return len(self._places)

    def __len__(self) -> int:
        return self._levels[self._order[0]].count if self._order else 0

    def __contains__(self, candidate: Candidate) -> bool:
        place = self._places.get(candidate.account.id)
        if place is None:
            return False
        priority, weight, index = place
        return self._levels[priority].buckets[weight][index] is candidate

    def __iter__(self) -> Iterator[Candidate]:
        if self._order:
            for bucket in self._levels[self._order[0]].buckets.values():
                yield from bucket

    def everyone(self) -> Iterator[Candidate]:
        """All ready accounts, of every priority, the best priority first."""
        for priority in self._order:
            for bucket in self._levels[priority].buckets.values():
                yield from bucket

    def at(self, index: int) -> Candidate:
        """The ready account of the best priority at this place."""
        for bucket in self._levels[self._order[0]].buckets.values():
            if index < len(bucket):
                return bucket[index]
            index -= len(bucket)
        raise IndexError(index)

    def find(self, account_id: int) -> Candidate | None:
        """This account, if it is ready and of the best priority."""
        place = self._places.get(account_id)
        if place is None or place[0] != self._order[0]:
            return None
        priority, weight, index = place
        return self._levels[priority].buckets[weight][index]

    def sample(self, random: Random) -> Candidate:
        """One of the best priority, each with the same chance."""
        return self.at(int(random.random() * len(self)))

    def sample_by_weight(self, random: Random) -> Candidate:
        """One of the best priority, each with a chance in proportion to its weight."""
        level = self._levels[self._order[0]]
        mark = random.random() * level.total_weight
        for weight, bucket in level.buckets.items():
            span = weight * len(bucket)
            if mark < span:
                return bucket[min(int(mark / weight), len(bucket) - 1)]
            mark -= span
        return self.at(len(self) - 1)  # what rounding left over

    def _has_moved(self, candidate: Candidate) -> bool:
        priority, weight, index = self._places[candidate.account.id]
        account = candidate.account
        return (
            priority != account.priority
            or weight != account.weight
            or self._levels[priority].buckets[weight][index] is not candidate
        )

    def _enter(self, candidate: Candidate) -> None:
        account = candidate.account
        level = self._levels.get(account.priority)
        if level is None:
            level = self._levels[account.priority] = _Level()
            insort(self._order, account.priority)
        bucket = level.buckets.setdefault(account.weight, [])
        self._places[account.id] = (account.priority, account.weight, len(bucket))
        bucket.append(candidate)
        level.count += 1
        level.total_weight += account.weight

    def _leave(self, account_id: int) -> None:
        priority, weight, index = self._places.pop(account_id)
        level = self._levels[priority]
        bucket = level.buckets[weight]
        last = bucket.pop()
        if index < len(bucket):
            bucket[index] = last
            self._places[last.account.id] = (priority, weight, index)
        elif not bucket:
            del level.buckets[weight]
        level.count -= 1
        level.total_weight -= weight
        if not level.count:
            del self._levels[priority]
            self._order.remove(priority)
