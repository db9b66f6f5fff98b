"""Writes what operators ought to know into the server's log, whether or not they are written to elsewhere."""

from collections.abc import Iterable

import structlog

from flow2api.domain.notices import Notice, NoticeKind
from flow2api.hookspecs import NoSettings, ObserverFactory, Section, SettingsSection, hookimpl

log = structlog.get_logger(__name__)


class LogObserver:
    """One line for each notice that concerns operators; troubles are warnings."""

    kinds = frozenset(kind for kind in NoticeKind if kind.is_for_operators)

    def notify(self, notice: Notice) -> None:
        write = log.warning if notice.kind.is_trouble else log.info
        write(notice.sentence, kind=notice.kind.value, subject=notice.subject)


@hookimpl
def register_observers() -> Iterable[ObserverFactory]:
    """The log."""
    return [ObserverFactory("log", build)]


def build(section: Section) -> LogObserver:
    """The observer; it has no settings."""
    return LogObserver()


@hookimpl
def register_settings() -> Iterable[SettingsSection]:
    """Its section is empty."""
    return [SettingsSection("log", NoSettings)]
