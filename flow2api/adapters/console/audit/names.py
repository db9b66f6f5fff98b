"""What the things are called to which something was done, for the entries of one page."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from flow2api.adapters.console.account_states import name_of
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.domain.account_list import PoolFilter
from flow2api.domain.audit import AuditEntry
from flow2api.domain.usecases.read_audit_log import LONGEST_TEXT

Subject = tuple[str, str]
"""The kind of a thing, as actions begin, and its number."""

_IN_TRASH = 200
_AMONG = 10_000
_MOST_CALLED = 500


async def names_of(doors: ConsoleDoors, entries: Sequence[AuditEntry]) -> Mapping[Subject, str]:
    """The names of those that are known by a number: what they are called now, else what some entry here calls them.

    Each kind is asked for once, however many entries there are.
    """
    wanted = {subject for entry in entries if (subject := subject_of(entry)) is not None}
    names = {subject: name for entry in reversed(entries) if (subject := subject_of(entry)) and (name := _told(entry))}
    for kind, named in _kinds(doors).items():
        numbers = {number for one, number in wanted if one == kind}
        if numbers:
            found = await named(numbers)
            names |= {(kind, number): name for number, name in found.items() if number in numbers and name}
    return names


async def called(doors: ConsoleDoors, text: str) -> frozenset[tuple[str, str | None]]:
    """The things that are called so now, whatever the case; accounts by their addresses, too."""
    text = text.strip()[:LONGEST_TEXT]
    if not text:
        return frozenset()
    name = text.casefold()
    matching = (await doors.browse.matching(PoolFilter(text=text)))[:_AMONG]
    accounts = [doors.account_of(number) for number in matching]
    accounts += [one.account for one in await doors.restore.page(limit=_IN_TRASH)]
    found = {
        ("account", str(one.id)) for one in accounts if one and name in map(str.casefold, (one.name, one.email or ""))
    }
    for kind, named in _kinds(doors).items():
        if kind != "account":
            found |= {(kind, number) for number, its in (await named(())).items() if its.casefold() == name}
    return frozenset(sorted(found)[:_MOST_CALLED])


def subject_of(entry: AuditEntry) -> Subject | None:
    """What it was done to; None for what has a name of its own, or none at all."""
    number = entry.subject
    if number is None or not (number.isascii() and number.isdecimal()):
        return None
    return entry.action.partition(".")[0], number


def is_there(doors: ConsoleDoors, subject: Subject) -> bool:
    """Whether it has a page: an account that was deleted has none."""
    kind, number = subject
    return kind == "key" or (kind == "account" and doors.account_of(int(number)) is not None)


_Named = Callable[[Iterable[str]], Awaitable[Mapping[str, str]]]


def _kinds(doors: ConsoleDoors) -> Mapping[str, _Named]:
    async def accounts(numbers: Iterable[str]) -> Mapping[str, str]:
        found = {number: account for number in numbers if (account := doors.account_of(int(number))) is not None}
        if any(number not in found for number in numbers):
            found |= {str(one.account.id): one.account for one in await doors.restore.page(limit=_IN_TRASH)}
        return {number: name_of(account) for number, account in found.items()}

    async def keys(_: Iterable[str]) -> Mapping[str, str]:
        return {str(one.id): one.name for one in await doors.keys.all()}

    async def operators(_: Iterable[str]) -> Mapping[str, str]:
        return {str(one.id): one.name for one in await doors.operators.all()}

    async def proxies(_: Iterable[str]) -> Mapping[str, str]:
        return {str(one.id): one.name for one in await doors.proxies.all()}

    async def webhooks(_: Iterable[str]) -> Mapping[str, str]:
        return {str(one.id): one.name for one in await doors.webhooks.all()}

    async def targets(_: Iterable[str]) -> Mapping[str, str]:
        return {str(one.id): one.name for one in await doors.notify_targets.all()}

    return {
        "account": accounts,
        "key": keys,
        "operator": operators,
        "proxy": proxies,
        "webhook": webhooks,
        "notify_target": targets,
    }


def _told(entry: AuditEntry) -> str:
    """The name that the entry itself knows; of a change the new one."""
    after, several = entry.details.get("after"), entry.details.get("proxies")
    places = (after if isinstance(after, Mapping) else {}, entry.details)
    for place in places:
        for field in ("name", "email"):
            if isinstance(name := place.get(field), str) and name:
                return name
    return str(several[0]) if isinstance(several, list) and len(several) == 1 else ""
