"""A panel of the console: who is on call, from a CSV file.

Its section of the settings: ``file``, the path; without one the panel is not shown.
"""

import asyncio
import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from flow2api.domain.errors import PluginError
from flow2api.domain.panels import PanelPlace, PanelSubject, PanelTable, PanelTone, PanelView
from flow2api.hookspecs import ConsolePanel, Section, SettingsSection, hookimpl

NAME = "rota"
NEXT_SHOWN = 3


class RotaSettings(msgspec.Struct, frozen=True):
    """The section ``rota``."""

    file: str = ""


@dataclass(frozen=True)
class Shift:
    """Somebody's turn."""

    begins: datetime
    ends: datetime
    who: str
    reach: str


class RotaPanel:
    """Reads the file whenever the page is opened, so that whoever keeps it tells nobody."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    async def view(self, subject: PanelSubject) -> PanelView | None:
        """Who is on call now, and who comes next.

        Raises:
            PluginError: The file cannot be read; the page says so.
        """
        if self._file is None:
            return None
        shifts = await asyncio.to_thread(read_shifts, self._file)
        now = next((one for one in shifts if one.begins <= subject.now < one.ends), None)
        coming = [one for one in shifts if one.begins > subject.now][:NEXT_SHOWN]
        rows = tuple((f"{one.begins:%Y-%m-%d %H:%M} UTC", one.who, one.reach) for one in coming)
        return PanelView(
            text="Nobody is on call now." if now is None else f"{now.who} is on call: {now.reach}",
            tone=PanelTone.WARNING if now is None else PanelTone.FINE,
            table=PanelTable(("From", "Then", "Reach"), rows) if rows else None,
        )


def read_shifts(file: Path) -> Sequence[Shift]:
    """The shifts of a file, the earliest first.

    Raises:
        PluginError: It is not there, or a line cannot be read.
    """
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            shifts = [_shift(row) for row in csv.DictReader(lines)]
    except OSError as error:
        raise PluginError(f"The rota {file.name} cannot be read: {error.strerror}.") from error
    except (KeyError, ValueError, TypeError, csv.Error) as error:
        raise PluginError(
            f"A line of the rota {file.name} cannot be read; it needs from, until, who and reach."
        ) from error
    return sorted(shifts, key=lambda one: one.begins)


def _shift(row: dict[str, str]) -> Shift:
    return Shift(_moment(row["from"]), _moment(row["until"]), row["who"].strip()[:100], row["reach"].strip()[:100])


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def build(section: Section) -> RotaPanel:
    """The panel as its section of the settings wants it."""
    file = str(section.get("file", ""))
    return RotaPanel(Path(file) if file else None)


@hookimpl
def register_console_panels() -> Iterable[ConsolePanel]:
    """The panel ``rota``, on the overview."""
    return [ConsolePanel(NAME, "On call", PanelPlace.OVERVIEW, build)]


@hookimpl
def register_settings() -> Iterable[SettingsSection]:
    """What the section ``rota`` looks like."""
    return [SettingsSection(NAME, RotaSettings)]
