"""Sentences that others have made in English, with their facts in them, in the language of a page.

The program tells its errors and findings as whole sentences, for logs and callers as well as for people. A catalogue has
the form of each, ``There is no account with the id %(account_id)s.``, and by that a sentence is known again.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_BETWEEN_SENTENCES = re.compile(r"(?<=[.?!]) (?=[A-Z`])")
_BRACKETED = re.compile(r"([^()]+) (\([^()]*\))")
_NUMBER = re.compile(r"\d[\d,.]*")
_BEGINNING = 8
"""By so many letters forms are told apart before they are tried."""

_LONGEST = 2_000
"""Characters of a sentence that is worth the trouble."""

_MOST_KEPT = 1_024
_MOST_SENTENCES = 8
_MOST_PARTS = 64
_DEEPEST = 4
"""How far facts are looked into that are sentences with facts themselves."""

_FIRST_WIDE = "\u2e80"
"""From here on letters are of scripts that put no space between sentences."""


@dataclass(frozen=True, slots=True)
class Form:
    """A sentence with gaps.

    Attributes:
        fixed: What stands before, between and behind the gaps.
        names: What the gaps are for, one less.
        translation: The same in the page's language, with a placeholder for each gap.
    """

    fixed: tuple[str, ...]
    names: tuple[str, ...]
    translation: str

    @classmethod
    def of(cls, message: str, translation: str) -> "Form":
        """The form of a message of the catalogue."""
        parts = _PLACEHOLDER.split(message)
        return cls(tuple(part.replace("%%", "%") for part in parts[::2]), tuple(parts[1::2]), translation)

    @property
    def size(self) -> int:
        """How many characters are fixed; the more, the more certain is it that a sentence is of this form."""
        return sum(map(len, self.fixed))

    def facts_in(self, text: str) -> Mapping[str, str] | None:
        """What fills the gaps in a text; None when it is not of this form. It takes one walk through the text."""
        first, *between, last = self.fixed
        at, end = len(first), len(text) - len(last)
        if at > end or not text.startswith(first) or not text.endswith(last):
            return None
        found: list[str] = []
        for fixed in between:
            stop = text.find(fixed, at, end)
            if stop < 0:
                return None
            found.append(text[at:stop])
            at = stop + len(fixed)
        facts = dict(zip(self.names, (*found, text[at:end]), strict=True))
        return facts if "count" not in facts or _NUMBER.fullmatch(facts["count"]) else None


_Try = tuple[str, str, Form]
"""How a form begins and ends, and the form."""


class Retelling:
    """What knows the sentences of one catalogue again.

    Args:
        messages: Forms, and sentences and words without facts, with their translations.
        comma: What stands between the parts of an enumeration.
        end: What stands at its end where it is a sentence.
    """

    def __init__(self, messages: Iterable[tuple[str, str]], *, comma: str, end: str) -> None:
        self._comma, self._end = comma, end
        self._plain: dict[str, str] = {}
        forms = []
        for message, translation in messages:
            if _PLACEHOLDER.search(message):
                forms.append(Form.of(message, translation))
            else:
                self._plain[message] = translation
        self._forms = _by_beginning(forms)
        self._vague = self._forms[""]
        self.told = lru_cache(_MOST_KEPT)(self._told)

    def __call__(self, text: str) -> str:
        """A text in the catalogue's language; the same one where it holds none of its sentences."""
        return self.told(text) if len(text) <= _LONGEST else text

    def _told(self, text: str) -> str:
        known = self._whole(text, 0)
        if known is None and text.endswith(".") and (listed := self._enumeration(text[:-1], 0)) is not None:
            known = f"{listed}{self._end}"
        return self._one_by_one(text, 0) if known is None else known

    def _one_by_one(self, text: str, depth: int) -> str:
        """Several sentences, of which those change that are known."""
        parts = _BETWEEN_SENTENCES.split(text, _MOST_SENTENCES)
        told, at = "", 0
        while at < len(parts):
            part, known, stop = parts[at], None, at + 1
            for end in range(len(parts) - (at == 0), at, -1):
                known = self._whole(" ".join(parts[at:end]), depth)
                if known is not None:
                    stop = end
                    break
            told = _joined(told, part if known is None else known)
            at = stop
        return told

    def _whole(self, text: str, depth: int) -> str | None:
        """A sentence or a clause that is known as it stands, with its facts."""
        if text in self._plain:
            return self._plain[text]
        if depth >= _DEEPEST or " " not in text:
            return None
        spanning: tuple[Form, Mapping[str, str]] | None = None
        for first, last, form in self._forms.get(text[:_BEGINNING], self._vague):
            if not (text.startswith(first) and text.endswith(last)):
                continue  # nearly all of them, so it is found out here
            facts = form.facts_in(text)
            if facts is None:
                continue
            if not any(map(_BETWEEN_SENTENCES.search, facts.values())):
                return self._filled(form, facts, depth)
            spanning = spanning or (form, facts)
        if spanning is None:
            return None
        return self._each_by_itself(text, depth) or self._filled(*spanning, depth)

    def _each_by_itself(self, text: str, depth: int) -> str | None:
        """Sentences that would be taken for the facts of the first one; None unless each of them is known."""
        told = ""
        for part in _BETWEEN_SENTENCES.split(text, _MOST_SENTENCES):
            known = self._whole(part, depth + 1)
            if known is None:
                return None
            told = _joined(told, known)
        return told

    def _filled(self, form: Form, facts: Mapping[str, str], depth: int) -> str:
        return form.translation % {name: self._fact(fact, depth + 1) for name, fact in facts.items()}

    def _fact(self, text: str, depth: int) -> str:
        """A fact as it is, unless it is words that are known."""
        words = text.strip()
        known = self._enumeration(words, depth) if words else None
        if known is None:
            known = self._one_by_one(words, depth) if " " in words else words
        if known == words:
            return text
        return known if _is_wide(known[0]) else f"{text[: len(text) - len(text.lstrip())]}{known}"

    def _enumeration(self, text: str, depth: int) -> str | None:
        """One thing, or several with commas between; None unless all of them are known."""
        for between in (", ", " and ", " or "):
            known: list[str] = []
            for one in text.split(between, _MOST_PARTS):
                told = self._part(one, depth)
                if told is None:
                    break
                known.append(told)
            else:
                return self._comma.join(known)
        return None

    def _part(self, text: str, depth: int) -> str | None:
        """Part of an enumeration, which may have something in brackets behind it."""
        bracketed = _BRACKETED.fullmatch(text)
        if bracketed is None or (known := self._whole(bracketed[1], depth)) is None:
            return self._whole(text, depth)
        behind = self._whole(bracketed[2], depth) or bracketed[2]
        return f"{known}{behind}" if _is_wide(behind[0]) else f"{known} {behind}"


def _by_beginning(forms: Sequence[Form]) -> Mapping[str, Sequence[_Try]]:
    """The forms to try for texts that begin so, those with most fixed characters first; under "" those for all others."""
    ordered = [(one.fixed[0], one.fixed[-1], one) for one in sorted(forms, key=lambda one: (-one.size, one.fixed))]
    vague = [one for one in ordered if len(one[0]) < _BEGINNING]
    beginnings = {first[:_BEGINNING] for first, _, _ in ordered if len(first) >= _BEGINNING}
    return {"": vague} | {
        beginning: [one for one in ordered if beginning.startswith(one[0][:_BEGINNING])] for beginning in beginnings
    }


def _joined(before: str, after: str) -> str:
    is_apart = before and not (_is_wide(before[-1]) or _is_wide(after[:1] or " "))
    return f"{before} {after}" if is_apart else f"{before}{after}"


def _is_wide(letter: str) -> bool:
    return letter >= _FIRST_WIDE
