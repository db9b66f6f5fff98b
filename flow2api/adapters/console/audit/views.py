"""What the page shows."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flow2api.adapters.console.audit.actions import action_words, subject_path
from flow2api.adapters.console.audit.names import Subject, called, is_there, names_of, subject_of
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.links import LARGEST_ID, address
from flow2api.adapters.console.spans import begins, known_span, span_choices
from flow2api.adapters.console.visit import Visit
from flow2api.domain.audit import AuditEntry, AuditFilter
from flow2api.domain.errors import UnsupportedInputError

PATH = "/console/audit"

_LONGEST_SHOWN = 2000


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that the entry says beside the rest.

    Attributes:
        before: What it was; None where nothing was said of that.
        is_change: Whether it had another value before.
    """

    name: str
    before: str
    after: str
    is_change: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A row: who did what, to what, from where.

    Attributes:
        words: What was done, in words.
        is_grave: Whether it is a sign-in that failed.
        subject: The number, or the name, of what it was done to.
        name: What that is called, where it is known by a number and its name is known, too; else empty.
        href: Its page; empty for none.
    """

    number: int
    at: datetime
    actor: str
    door: str
    address: str
    request_id: str
    action: str
    words: str
    is_grave: bool
    subject: str
    name: str
    href: str
    details: Sequence[Detail]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """The page.

    Attributes:
        query: The filter as it stands in addresses.
        actions: What there is to choose from, with its words.
        newest: The address of the newest entries, when these are not they; else empty.
        older: The address of the page behind this one; empty when there is none.
    """

    entries: Sequence[Entry]
    query: Mapping[str, str]
    actions: Sequence[tuple[str, str]]
    spans: Sequence[tuple[str, str]]
    newest: str
    older: str
    csv: str
    jsonl: str

    @property
    def is_narrowed(self) -> bool:
        """Whether something is left out."""
        return any(value for name, value in self.query.items() if name != "span") or self.query["span"] != "all"


def query_of(visit: Visit) -> dict[str, str]:
    """The filter of the address."""
    query = {name: visit.query(name).strip() for name in ("action", "actor", "subject")}
    return query | {"span": known_span(visit.query("span"))}


async def filter_of(query: Mapping[str, str], doors: ConsoleDoors) -> AuditFilter:
    """The same for the log, which knows most things by their numbers alone."""
    return AuditFilter(
        action=query["action"],
        actor=query["actor"],
        subject=query["subject"],
        named=await called(doors, query["subject"]),
        since=begins(query["span"], doors.clock.now()),
    )


async def audit_page(doors: ConsoleDoors, query: Mapping[str, str], before: str) -> AuditPage:
    """Entries that pass the filter, newest first.

    Raises:
        UnsupportedInputError: The address asks for what cannot be.
    """
    words = action_words()
    page = await doors.audit_log.page(await filter_of(query, doors), before=_number(before))
    names = await names_of(doors, page.items)
    groups = sorted({action.partition(".")[0] for action in words})
    chosen = query["action"]
    actions = [*((f"{group}.", gettext("%(group)s: all") % {"group": _groups()[group]}) for group in groups)]
    actions += sorted(((str(action), said) for action, said in words.items()), key=lambda one: one[1])
    if chosen and chosen not in dict(actions):
        actions.append((chosen, chosen))
    return AuditPage(
        entries=[_entry(doors, entry, words, names) for entry in page.items],
        query=query,
        actions=actions,
        spans=span_choices(),
        newest=address(PATH, query) if before else "",
        older=address(PATH, query, before=page.items[-1].number) if page.has_more else "",
        csv=address(f"{PATH}/export", query, form="csv"),
        jsonl=address(f"{PATH}/export", query, form="jsonl"),
    )


def _entry(doors: ConsoleDoors, entry: AuditEntry, words: Mapping[str, str], names: Mapping[Subject, str]) -> Entry:
    action, subject = str(entry.action), subject_of(entry)
    return Entry(
        number=entry.number,
        at=entry.at,
        actor=entry.actor.name,
        door=_doors().get(entry.actor.door, entry.actor.door),
        address=entry.actor.address or "",
        request_id=entry.actor.request_id or "",
        action=action,
        words=words.get(action, action),
        is_grave=action.startswith("operator.sign_in_"),
        subject=entry.subject or "",
        name="" if subject is None else names.get(subject, ""),
        href=subject_path(action, entry.subject) if subject is None or is_there(doors, subject) else "",
        details=details_of(entry.details),
    )


def details_of(details: Mapping[str, object]) -> list[Detail]:
    """What the entry says beside the rest; for a change what was and what is, by field."""
    before, after = details.get("before"), details.get("after")
    rest = [Detail(name, "", _shown(value), False) for name, value in details.items()]
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return rest
    changes = [
        Detail(str(name), _shown(before.get(name)), _shown(after.get(name)), True) for name in {**before, **after}
    ]
    return [*changes, *(one for one in rest if one.name not in ("before", "after"))]


def _shown(value: object) -> str:
    if value is None or value == "":
        return gettext("none")
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"


def _number(text: str) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or not 0 < int(text) <= LARGEST_ID:
        raise UnsupportedInputError("The address has no place of the audit log; open the log again.", param="before")
    return int(text)


def _groups() -> Mapping[str, str]:
    return {
        "account": gettext("Accounts"),
        "connection_token": gettext("Connection token"),
        "key": gettext("API keys"),
        "notify_target": gettext("Notification targets"),
        "operator": gettext("Operators"),
        "options": gettext("Options"),
        "proxy": gettext("Proxies"),
        "request_log": gettext("Request log"),
        "server": gettext("Server"),
        "webhook": gettext("Webhooks"),
        "generation": gettext("Generations"),
        "media": gettext("Media"),
        "playground": gettext("Playground"),
    }


def _doors() -> Mapping[str, str]:
    return {
        "admin_api": gettext("over HTTP"),
        "cli": gettext("on the command line"),
        "command_line": gettext("on the command line"),
        "console": gettext("in the console"),
        "settings": gettext("by the settings"),
        "start": gettext("when the server started"),
    }
