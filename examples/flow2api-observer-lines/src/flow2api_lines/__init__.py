"""An observer: writes every notice as a line of JSON into a file, for programs that follow it.

Its section of the settings: ``file`` (the path; without one nothing is written) and ``only`` (the kinds to write,
separated by commas; all when it is empty).
"""

import json
from collections.abc import Collection, Iterable
from pathlib import Path

from flow2api.domain.errors import ConfigurationError
from flow2api.domain.notices import Notice, NoticeKind
from flow2api.domain.ports.observers import Observer
from flow2api.hookspecs import ObserverFactory, Section, hookimpl

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


def build(section: Section) -> Observer:
    """The observer as its section of the settings wants it.

    Raises:
        ConfigurationError: A setting is not known, or names a kind that does not exist.
    """
    unknown = sorted(set(section) - {"file", "only"})
    if unknown:
        raise ConfigurationError(f"The observer {NAME!r} has the settings `file` and `only`, not {', '.join(unknown)}.")
    if not section.get("file"):
        return Silent()
    wanted = [word.strip() for word in str(section.get("only", "")).split(",") if word.strip()]
    try:
        kinds = tuple(NoticeKind(word) for word in wanted) or tuple(NoticeKind)
    except ValueError as error:
        raise ConfigurationError(
            f"`only` of the observer {NAME!r} names kinds of notices, such as account.needs_care: {error}."
        ) from None
    return LinesObserver(Path(str(section["file"])), kinds)


@hookimpl
def register_observers() -> Iterable[ObserverFactory]:
    """The observer ``lines``."""
    return [ObserverFactory(NAME, build)]
