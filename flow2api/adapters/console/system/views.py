"""What the page shows."""

import platform
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext, ngettext, retold
from flow2api.adapters.console.wording import check_name, duration, number
from flow2api.domain.errors import StorageError
from flow2api.domain.ports.backups import Backup
from flow2api.domain.redaction import redact_text
from flow2api.domain.usecases.diagnose import CheckState, Diagnosis
from flow2api.domain.usecases.keep_diagnosis import Examined

PATH = "/console/system"
_BACKUPS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class CheckRow:
    """What came of a check.

    Attributes:
        cure: What to do; empty when there is nothing to do.
    """

    kind: str
    icon: str
    words: str
    name: str
    sentence: str
    cure: str


@dataclass(frozen=True, slots=True)
class Facet:
    """A result with the number of checks that came to it."""

    state: str
    kind: str
    icon: str
    words: str
    count: int
    path: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Load:
    """How busy the process is.

    Attributes:
        late: How late the event loop was lately, as its median and what 99 of 100 kept to.
    """

    running: int
    waiting: int
    late: str
    late_most: str
    is_late: bool
    lost: int
    fault: str


@dataclass(frozen=True, slots=True)
class BackupRow:
    """A copy of the database."""

    name: str
    made_at: datetime
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Backups:
    """The copies that there are.

    Attributes:
        fault: Why they cannot be told; empty when they can.
        folder: Where the newest one is; empty without one.
    """

    is_possible: bool
    rows: Sequence[BackupRow]
    more: int
    folder: str
    fault: str


@dataclass(frozen=True, slots=True)
class Drain:
    """Whether nothing new is taken, and what is still under way."""

    is_on: bool
    left: int
    is_stopping: bool


@dataclass(frozen=True, slots=True)
class SystemNow:
    """What changes by itself."""

    load: Load
    drain: Drain


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPage:
    """The page.

    Attributes:
        examined_at: When the checks ran.
        versions: Name and version of what runs.
        is_owner: Whether the visitor may drain the server.
        is_live: Whether pages follow what happens, as the visitor wants it.
        confirmation: What has to be typed before the server is drained.
    """

    examined_at: datetime
    took_s: float
    summary: str
    facets: Sequence[Facet]
    checks: Sequence[CheckRow]
    versions: Sequence[tuple[str, str]]
    started_at: datetime
    load: Load
    backups: Backups
    drain: Drain
    is_owner: bool
    is_live: bool
    confirmation: str


_LOOKS = {
    CheckState.FAIL: ("err", "x"),
    CheckState.WARN: ("warn", "triangle-alert"),
    CheckState.OK: ("ok", "check"),
}
_LATE_S = 0.1


async def look(doors: ConsoleDoors, asked: str, *, is_owner: bool, is_live: bool) -> SystemPage:
    """The page as it is now; the checks run when they never have.

    Args:
        asked: The result that checks are narrowed to, as the address names it.
    """
    examined = doors.server.diagnosis.latest or await doors.server.diagnosis()
    state = CheckState(asked) if asked in [*CheckState] else None
    return SystemPage(
        examined_at=examined.at,
        took_s=examined.took_s,
        summary=summary(examined),
        facets=_facets(examined, state),
        checks=[check_row(one) for one in examined.diagnoses if state in (None, one.finding.state)],
        versions=[
            ("flow2api", doors.version),
            ("Python", platform.python_version()),
            *doors.server.packages.items(),
        ],
        started_at=doors.server.started_at,
        load=load(doors),
        backups=await _backups(doors),
        drain=drain(doors),
        is_owner=is_owner,
        is_live=is_live,
        confirmation=gettext("drain"),
    )


def check_row(one: Diagnosis) -> CheckRow:
    """A check as a row; what it found may quote others, so secrets are taken out."""
    finding = one.finding
    kind, icon = _LOOKS[finding.state]
    words = state_words(finding.state)
    cure = redact_text(retold(finding.cure)) if finding.cure else ""
    return CheckRow(kind, icon, words, check_name(one.name), redact_text(retold(finding.sentence)), cure)


def state_words(state: CheckState) -> str:
    """A result in a word."""
    return {
        CheckState.FAIL: gettext("Fails"),
        CheckState.WARN: gettext("Look"),
        CheckState.OK: gettext("Passes"),
    }[state]


def summary(examined: Examined) -> str:
    """How many checks came to what."""
    fails, warns = examined.count(CheckState.FAIL), examined.count(CheckState.WARN)
    fine = examined.count(CheckState.OK)
    passed = ngettext("%(count)s check passes", "%(count)s checks pass", fine) % {"count": number(fine)}
    if not fails and not warns:
        return passed
    values = {"passed": passed, "warns": number(warns), "fails": number(fails)}
    if not fails:
        return gettext("%(passed)s, %(warns)s to be looked at") % values
    return gettext("%(passed)s, %(warns)s to be looked at, %(fails)s failing") % values


def load(doors: ConsoleDoors) -> Load:
    """How busy the process is now."""
    late, fault = doors.server.loop_late_s(0.99), doors.server.room.fault
    waiting = doors.server.drain.waiting()
    return Load(
        running=doors.server.drain.left() - waiting,
        waiting=waiting,
        late=duration(doors.server.loop_late_s(0.5)),
        late_most=duration(late),
        is_late=late is not None and late >= _LATE_S,
        lost=doors.server.dropped_lines(),
        fault="" if fault is None else retold(fault.message),
    )


def drain(doors: ConsoleDoors) -> Drain:
    """Whether nothing new is taken."""
    return Drain(doors.server.drain.is_on, doors.server.drain.left(), doors.server.is_draining())


def _facets(examined: Examined, current: CheckState | None) -> Sequence[Facet]:
    found = [
        Facet("", "", "list", gettext("All"), len(examined.diagnoses), PATH, current is None),
    ]
    for state, (kind, icon) in _LOOKS.items():
        count, path = examined.count(state), f"{PATH}?result={state.value}"
        if count or state is current:
            found.append(Facet(state.value, kind, icon, state_words(state), count, path, state is current))
    return found


async def _backups(doors: ConsoleDoors) -> Backups:
    try:
        every: Sequence[Backup] = await doors.server.backups.all()
    except StorageError as error:
        return Backups(
            is_possible=doors.server.backups.is_possible, rows=(), more=0, folder="", fault=retold(error.message)
        )
    return Backups(
        is_possible=doors.server.backups.is_possible,
        rows=[BackupRow(one.file.name, one.made_at, one.size_bytes) for one in every[:_BACKUPS_SHOWN]],
        more=max(0, len(every) - _BACKUPS_SHOWN),
        folder=str(every[0].file.parent) if every else "",
        fault="",
    )
