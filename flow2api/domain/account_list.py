"""Lists of accounts as operators look through them: what is wanted, in which order, from which place on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter

from flow2api.domain.account import Account, Tier
from flow2api.domain.account_state import AccountState, Standing
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.selection import Candidate

LONGEST_TEXT = 100
STATES = tuple(AccountState)
_NUMBER_OF = {state: number for number, state in enumerate(STATES)}


class AccountOrder(StrEnum):
    """What a list of accounts is sorted by; among equals the older account comes first."""

    NAME = "name"
    LEAST_BUSY = "least_busy"
    BUSIEST = "busiest"
    """The other way round; those that do as much follow by name."""
    CREDITS = "credits"
    STATE = "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolFilter:
    """Which accounts of the pool are looked for; None looks for all.

    Attributes:
        text: What name, e-mail address, remark or a tag has to hold, whatever its case; at most
            `LONGEST_TEXT` characters of it.
        tag: A tag that they have to have, spelt as it is there.
        proxy: Name of the proxy that they must use; an empty one is for those that have none of their own.
        tier: The plan that they must have.
    """

    text: str | None = None
    state: AccountState | None = None
    tag: str | None = None
    upstream: str | None = None
    proxy: str | None = None
    tier: Tier | None = None


@dataclass(frozen=True, slots=True)
class ListPlace:
    """A place in a sorted list: behind or in front of this account, wherever it is now."""

    value: str | int
    account_id: int

    def __str__(self) -> str:
        return f"{self.account_id}~{self.value}"

    @classmethod
    def read(cls, written: str, order: AccountOrder) -> "ListPlace":
        """The place that `str` has written.

        Raises:
            UnsupportedInputError: It is none of a list in this order.
        """
        number, mark, value = written.partition("~")
        try:
            return cls(value if order in _BY_TEXT and mark else int(value), int(number))
        except ValueError as error:
            raise UnsupportedInputError(
                "The place in the list is none of ours; begin with the first page.", param="after"
            ) from error


@dataclass(slots=True)
class Entry:
    """An account as lists look at it.

    Attributes:
        account: The account that it was made of.
        state: As of a moment ago, as a number of `STATES`.
        credits: -1 where they are not known.
        name: In lower case, as `searched` is.
    """

    id: int
    candidate: Candidate
    account: Account
    state: int
    credits: int
    name: str
    searched: str


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """One line of a list.

    Attributes:
        images: How many pictures it makes now.
        videos: How many videos it makes now.
    """

    account: Account
    standing: Standing
    images: int
    videos: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountListPage:
    """Some of the accounts that are looked for.

    Attributes:
        total: How many are looked for in all.
        first: The number of the first one here among them, from 1; 0 when there is none here.
        earlier: Where to look for those before, with ``before``; None when these are the first ones.
        later: Where to look for those behind, with ``after``; None when these are the last ones.
        counts: How many there would be of each state, if any state were looked for.
    """

    accounts: Sequence[ListedAccount]
    total: int
    first: int
    earlier: ListPlace | None
    later: ListPlace | None
    counts: Mapping[AccountState, int]


_BY_TEXT = frozenset({AccountOrder.NAME, AccountOrder.BUSIEST})
_MOST_SLOTS = 99_999_999


_IDLE = f"{_MOST_SLOTS:08d} "


def _by_busy_and_name(entry: Entry) -> str:
    busy = entry.candidate.images + entry.candidate.videos
    return f"{_MOST_SLOTS - busy:08d} {entry.name}" if busy else _IDLE + entry.name


_VALUES: dict[AccountOrder, Callable[[Entry], str | int]] = {
    AccountOrder.NAME: attrgetter("name"),
    AccountOrder.LEAST_BUSY: lambda entry: entry.candidate.images + entry.candidate.videos,
    AccountOrder.BUSIEST: _by_busy_and_name,
    AccountOrder.CREDITS: attrgetter("credits"),
    AccountOrder.STATE: attrgetter("state"),
}


def entry_of(candidate: Candidate, state: AccountState) -> Entry:
    """The entry of an account in this state."""
    account = candidate.account
    name = account.name or account.email or ""
    searched = "\n".join((account.name, account.email or "", account.remark, *account.tags)).casefold()
    known = -1 if account.credits is None else account.credits
    return Entry(account.id, candidate, account, _NUMBER_OF[state], known, name.casefold(), searched)


def number_of(state: AccountState) -> int:
    """The number of a state among `STATES`, as entries have it."""
    return _NUMBER_OF[state]


def value_by(order: AccountOrder) -> Callable[[Entry], str | int]:
    """What an entry is sorted by. Credits that are not known are fewer than none."""
    return _VALUES[order]


def in_any_state(entries: Sequence[Entry], wanted: PoolFilter) -> Sequence[Entry]:
    """Those that pass the filter but for the state."""
    text = (wanted.text or "").strip()[:LONGEST_TEXT].casefold()
    if text:
        entries = [entry for entry in entries if text in entry.searched]
    if wanted.tag is not None:
        entries = [entry for entry in entries if wanted.tag in entry.candidate.account.tags]
    if wanted.upstream is not None:
        entries = [entry for entry in entries if entry.candidate.account.upstream == wanted.upstream]
    if wanted.proxy is not None:
        entries = [entry for entry in entries if (entry.candidate.account.proxy or "") == wanted.proxy]
    if wanted.tier is not None:
        entries = [entry for entry in entries if entry.candidate.account.tier is wanted.tier]
    return entries


def in_state(entries: Sequence[Entry], state: AccountState | None) -> Sequence[Entry]:
    """Those in this state; None takes all."""
    if state is None:
        return entries
    number = _NUMBER_OF[state]
    return [entry for entry in entries if entry.state == number]
