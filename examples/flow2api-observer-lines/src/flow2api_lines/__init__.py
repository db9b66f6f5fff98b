"""An observer: writes every notice as a line of JSON into a file, for programs that follow it.

Its section of the settings is described by `Settings`.
"""

import json
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from flow2api.domain.notices import Notice, NoticeKind
from flow2api.domain.ports.observers import Observer
from flow2api.hookspecs import ObserverFactory, Section, SettingsSection, hookimpl

NAME = "lines"


class LinesObserver:
    """One line for each notice. The file is opened for each, so that it may be moved away at any time."""

    def __init__(self, file: Path, kinds: Collection[NoticeKind] = tuple(NoticeKind)) -> None:
        self.kinds = kinds
        self._file = file

    def notify(self, notice: Notice) -> None:
        """Write it down."""
        line = {
            "at": notice.at.isoformat(),
            "kind": notice.kind.value,
            "subject": notice.subject,
            "sentence": notice.sentence,
            "facts": dict(notice.facts),
        }
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")


class Silent:
    """Hears nothing, for nobody has said where to write it."""

    kinds: Collection[NoticeKind] = ()

    def notify(self, notice: Notice) -> None:
        """Drop it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[lines]`` of the settings.

    Attributes:
        file: Where to write; without one nothing is written.
        only: The kinds to write, separated by commas; all when it is empty.
    """

    file: str = ""
    only: str = ""

    def __post_init__(self) -> None:
        """What a type cannot say is checked here; a ValueError leaves the plugin out, with this sentence."""
        try:
            kinds_in(self.only)
        except ValueError as error:
            raise ValueError(f"`only` names kinds of notices, such as account.needs_care: {error}") from None


def kinds_in(only: str) -> tuple[NoticeKind, ...]:
    """The kinds that the setting ``only`` names.

    Raises:
        ValueError: One of them does not exist.
    """
    return tuple(NoticeKind(word.strip()) for word in only.split(",") if word.strip()) or tuple(NoticeKind)


def build(section: Section) -> Observer:
    """The observer as its section of the settings wants it, which was checked and has its defaults."""
    return LinesObserver(Path(section["file"]), kinds_in(section["only"])) if section["file"] else Silent()


@hookimpl
def register_settings() -> Iterable[SettingsSection]:
    """What the section looks like."""
    return [SettingsSection(NAME, Settings)]


@hookimpl
def register_observers() -> Iterable[ObserverFactory]:
    """The observer ``lines``."""
    return [ObserverFactory(NAME, build)]
