"""Which accounts fail at a kind of call, so that requests can go round them, or to the least bad of them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from random import Random

from flow2api.domain.account import Account, CallKind, Rest, RestReason

_Place = tuple[str, CallKind]


class CallRests:
    """The accounts with a streak's rest, and with any other rest that is limited to a kind of call; over or not.

    Entering and leaving is O(1), and so is drawing some of them.
    """

    def __init__(self) -> None:
        self._members: defaultdict[_Place, list[int]] = defaultdict(list)
        self._indexes: defaultdict[_Place, dict[int, int]] = defaultdict(dict)

    def change(self, before: Account | None, after: Account | None) -> None:
        """An account has come, changed or gone."""
        if not (before is not None and before.rests) and not (after is not None and after.rests):
            return
        left, entered = set(_places(before)), set(_places(after))
        for place in left - entered:
            self._leave(place, before.id if before is not None else 0)
        for place in entered - left:
            self._enter(place, after.id if after is not None else 0)

    def of(self, upstream: str, call: CallKind) -> Sequence[int]:
        """All of them."""
        return self._members.get((upstream, call), ())

    def sample(self, upstream: str, call: CallKind, random: Random, most: int) -> Sequence[int]:
        """Some of them, each with the same chance."""
        members = self.of(upstream, call)
        return members if len(members) <= most else random.sample(members, most)

    def _enter(self, place: _Place, account_id: int) -> None:
        self._indexes[place][account_id] = len(self._members[place])
        self._members[place].append(account_id)

    def _leave(self, place: _Place, account_id: int) -> None:
        index, last = self._indexes[place].pop(account_id), self._members[place].pop()
        if last != account_id:
            self._members[place][index] = last
            self._indexes[place][last] = index


def _places(account: Account | None) -> Iterator[_Place]:
    if account is not None:
        for rest in account.rests:
            for call in _calls(rest):
                yield account.upstream, call


def _calls(rest: Rest) -> Sequence[CallKind]:
    if rest.call is not None:
        return (rest.call,)
    return (CallKind.PICTURE, CallKind.VIDEO) if rest.reason is RestReason.ERROR_STREAK else ()
