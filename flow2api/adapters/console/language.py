"""The languages of the console: which one a page is in, its words, and how it writes numbers and times."""

import asyncio
import gettext as standard
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from flow2api.adapters.console.folders import locale_folder
from flow2api.adapters.console.retelling import Retelling

if TYPE_CHECKING:
    from babel import Locale

ENGLISH = "en"
CHINESE = "zh-Hans"
LANGUAGES = {ENGLISH: "English", CHINESE: "简体中文"}
"""By tag, each in its own words."""

_DOMAIN = "console"


@dataclass(frozen=True)
class Language:
    """A language, ready for use."""

    tag: str
    words: standard.NullTranslations

    @cached_property
    def locale(self) -> "Locale":
        """What knows how numbers and times are written."""
        from babel import Locale  # only pages need it, and it takes its time

        return Locale.parse(self.tag, sep="-")


_current: ContextVar[Language] = ContextVar("language")
_loaded: dict[str, Language] = {}


def gettext(text: str) -> str:
    """The text in the page's language; the same one where nobody has translated it."""
    return _words().gettext(text)


def ngettext(one: str, many: str, number: int) -> str:
    """The form of a text that goes with a number, in the page's language."""
    return _words().ngettext(one, many, number)


def retold(sentence: str) -> str:
    """What another part of the program has said, with its facts in it, in the page's language.

    A sentence that nobody has translated stays as it is; so does what others than the program have said.
    """
    words = _words()
    return words.retold(sentence) if isinstance(words, _Words) else words.gettext(sentence)


def current() -> Language:
    """The language of the page that is made now; English outside of one."""
    return _current.get(_english())


@contextmanager
def speaking(language: Language) -> Iterator[None]:
    """Pages that are made inside the block are in this language."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def speak(language: Language) -> None:
    """What is made from now on, inside the block of `speaking`, is in this language."""
    _current.set(language)


async def language_of(chosen: str | None, accepted: str) -> Language:
    """The language that an operator has chosen, else the one that his browser likes best.

    Args:
        chosen: A tag of `LANGUAGES`; None or anything else is no choice.
        accepted: The header ``Accept-Language``.
    """
    tag = chosen if chosen in LANGUAGES else preferred(accepted)
    return _english() if tag == ENGLISH else await asyncio.to_thread(load, tag)


def language_at_hand(chosen: str | None, accepted: str) -> Language:
    """The same without waiting: the page's language where it has one, and English for words that nobody has read yet."""
    speaks = _current.get(None)
    if speaks is not None:
        return speaks
    tag = chosen if chosen in LANGUAGES else preferred(accepted)
    return _loaded.get(tag, _english())


def preferred(accepted: str) -> str:
    """The tag of `LANGUAGES` that a browser likes best; English when it likes none of them."""
    for tag in _by_weight(accepted):
        primary = tag.split("-")[0].lower()
        if primary == "zh":
            return CHINESE
        if primary == ENGLISH:
            return ENGLISH
    return ENGLISH


@cache
def load(tag: str) -> Language:
    """A language with its words, read once from its catalogue; this blocks for a moment."""
    from babel.messages.pofile import read_po

    path = locale_folder() / tag.replace("-", "_") / "LC_MESSAGES" / f"{_DOMAIN}.po"
    with path.open("rb") as file:
        catalogue = read_po(file)
    return _loaded.setdefault(tag, Language(tag, _Words(catalogue)))


class _Words(standard.NullTranslations):
    """Translations as they stand in the source of a catalogue, so that nothing has to be compiled."""

    def __init__(self, catalogue: Any) -> None:
        super().__init__()
        self._plural = standard.c2py(catalogue.plural_expr)
        self._one: dict[str, str] = {}
        self._many: dict[str, tuple[str, ...]] = {}
        told_elsewhere: list[tuple[str, str]] = []
        for message in catalogue:
            if not message.id or message.fuzzy:
                continue
            if isinstance(message.id, str):
                if message.string:
                    self._one[message.id] = message.string
            elif all(message.string):
                self._many[message.id[0]] = tuple(message.string)
            if message.auto_comments:
                told_elsewhere += self._each_form(message.id)
        self._retelling = Retelling(told_elsewhere, comma=self.gettext(", "), end=self.gettext("."))

    def _each_form(self, message: str | tuple[str, str]) -> list[tuple[str, str]]:
        if isinstance(message, str):
            return [(message, self.gettext(message))]
        return [(form, self.ngettext(*message, number)) for form, number in zip(message, (1, 2), strict=True)]

    def retold(self, sentence: str) -> str:
        """A sentence of the program, known by its form."""
        return self._one.get(sentence) or self._retelling(sentence)

    def gettext(self, message: str) -> str:
        return self._one.get(message, message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        forms = self._many.get(msgid1)
        if forms is None:
            return msgid1 if n == 1 else msgid2
        return forms[min(self._plural(n), len(forms) - 1)]


@cache
def _english() -> Language:
    return Language(ENGLISH, standard.NullTranslations())


def _words() -> standard.NullTranslations:
    return current().words


def _by_weight(accepted: str) -> Sequence[str]:
    weighted = []
    for part in accepted.split(",")[:16]:
        tag, _, parameters = part.partition(";")
        try:
            weight = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            continue
        if weight > 0 and tag.strip():
            weighted.append((-weight, tag.strip()))
    return [tag for _, tag in sorted(weighted, key=lambda one: one[0])]


def exact_time(at: datetime) -> str:
    """A moment to the second, as the page's language writes it, in UTC."""
    from babel.dates import format_datetime

    return f"{format_datetime(at, 'medium', locale=current().locale)} UTC"
