"""Lines of the request log as the pages show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from flow2api.adapters.console.charts import Part, StackBar, stack_bar
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.requests.filters import Asked, written
from flow2api.adapters.console.wording import day, duration
from flow2api.domain.ports.storage import Page
from flow2api.domain.request_log import LoggedRequest

_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a request ended: as a word with a symbol, and its colour."""

    kind: str
    icon: str
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the list.

    Attributes:
        href: The list with this line's facts beside it.
        day: The day that it was, unless that is today.
        took_s: Until it was answered, waiting included.
    """

    number: int
    at: datetime
    day: str
    outcome: Outcome
    status: int | None
    door: str
    model: str
    account: str
    account_id: int | None
    attempts: int
    took_s: float
    href: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of the list.

    Attributes:
        newest: The address of the newest lines, when these are not the newest ones; else empty.
        older: The address of the page behind this one; empty when there is none.
        is_narrowed: Whether more than the time was asked for.
    """

    items: Sequence[Line]
    newest: str
    older: str
    is_narrowed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known of one request.

    Attributes:
        keeps_bodies: Whether the option is on by which what is sent is kept.
        alike: The address of the list with what failed for the same reason; empty for what did not fail.
    """

    line: LoggedRequest
    outcome: Outcome
    key: str
    account: str
    time: StackBar
    keeps_bodies: bool
    alike: str


def outcome_of(line: LoggedRequest) -> Outcome:
    """How it ended."""
    if line.state == "completed":
        return Outcome("ok", "check", gettext("Completed"))
    if line.state == "cancelled":
        return Outcome("off", "ban", gettext("Cancelled"))
    if line.status == _TOO_MANY:
        return Outcome("warn", "clock", gettext("Refused: too many") if line.state == "refused" else gettext("Failed"))
    return Outcome("err", "x", gettext("Refused") if line.state == "refused" else gettext("Failed"))


def state_words() -> Mapping[str, str]:
    """What states are called."""
    return {
        "completed": gettext("Completed"),
        "failed": gettext("Failed"),
        "cancelled": gettext("Cancelled"),
        "refused": gettext("Refused"),
    }


def account_name(doors: ConsoleDoors, account_id: int) -> str:
    """What an account is called; its number when it is not there any more."""
    account = doors.account_of(account_id)
    known = "" if account is None else account.name or account.email or ""
    return known or gettext("account %(number)s") % {"number": account_id}


def key_name(keys: Mapping[int, str], key_id: int | None) -> str:
    """What a key is called; who asked without one was an operator."""
    if key_id is None:
        return gettext("no key: the console")
    return keys.get(key_id) or gettext("key %(number)s") % {"number": key_id}


async def lines(doors: ConsoleDoors, asked: Asked) -> Lines:
    """The page that is asked for."""
    page = await doors.log.page(asked.wanted, before=asked.before)
    return _shown(page, asked, doors)


async def facts(doors: ConsoleDoors, line: LoggedRequest, asked: Asked) -> Facts:
    """All about a line."""
    keys = {key.id: key.name for key in await doors.keys.all()}
    took, waited = line.duration_ms / 1000, min(line.waited_ms, line.duration_ms) / 1000
    rest = took - waited
    parts = [Part(gettext("waiting"), "o", waited), Part(gettext("making"), "1", rest)]
    words = [f"{part.name} {duration(part.value)}" for part in parts]
    label = gettext("%(all)s, of which %(waited)s waiting for an account") % {
        "all": duration(took),
        "waited": duration(waited),
    }
    return Facts(
        line=line,
        outcome=outcome_of(line),
        key=key_name(keys, line.key_id),
        account="" if line.account_id is None else account_name(doors, line.account_id),
        time=stack_bar(label, parts, words),
        keeps_bodies=doors.options().log_bodies,
        alike=asked.address(code=line.code) if line.code else "",
    )


def _shown(page: Page[LoggedRequest], asked: Asked, doors: ConsoleDoors) -> Lines:
    today = doors.clock.now().astimezone(UTC).date()
    place = {"before": asked.place, "tail": "off" if asked.is_paused else ""}
    return Lines(
        [
            Line(
                number=line.number,
                at=line.at,
                day="" if line.at.astimezone(UTC).date() == today else day(line.at),
                outcome=outcome_of(line),
                status=line.status,
                door=line.door,
                model=line.model,
                account="" if line.account_id is None else account_name(doors, line.account_id),
                account_id=line.account_id,
                attempts=line.attempts,
                took_s=line.duration_ms / 1000,
                href=f"{asked.address(**place, open=line.number)}#request",
                is_open=line.number == asked.opened,
            )
            for line in page.items
        ],
        asked.address() if asked.before is not None else "",
        asked.address(before=written(page.items[-1])) if page.has_more else "",
        asked.is_narrowed,
    )
