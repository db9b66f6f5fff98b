"""What was typed into a form: read by name and type, kept for the page that shows it again, with what is wrong beside it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from litestar import Request
from litestar.datastructures import UploadFile

from flow2api.adapters.console import sent_from
from flow2api.adapters.console.guards import FORM_FIELD, sent_form
from flow2api.adapters.console.language import gettext, ngettext
from flow2api.domain.errors import UnsupportedInputError

_LONGEST = 4000


@dataclass(slots=True)
class Form:
    """A form as it was sent.

    Reading a value that is wrong notes an error for its field and gives a harmless one, so that a handler reads all
    fields first and asks `errors` once.

    Attributes:
        values: What was typed, by field; a field that was sent several times has its last value here.
        errors: What is wrong, by field, in the page's language. The name ``""`` stands for the form as a whole.
        saves: Whether it is for something that is kept; else it asks for something to be done.
    """

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    saves: bool = True
    _all: Mapping[str, list[str]] = field(default_factory=dict)
    _files: Mapping[str, list[UploadFile]] = field(default_factory=dict)

    def text(self, name: str, *, is_needed: bool = False, most: int = _LONGEST) -> str:
        """A text without white space around it; empty when there is none."""
        value = self.values.get(name, "").strip()
        if is_needed and not value:
            self.refuse(name, gettext("This is needed."))
        if len(value) > most:
            self.refuse(name, gettext("This is longer than %(most)s letters.") % {"most": most})
            return value[:most]
        return value

    def secret(self, name: str, *, is_needed: bool = False, most: int = _LONGEST) -> str:
        """The same, never shown again in the form."""
        value = self.text(name, is_needed=is_needed, most=most)
        self.values.pop(name, None)
        return value

    def whole(self, name: str, *, least: int = 0, most: int = 2**31) -> int | None:
        """A whole number; None when the field is empty or wrong."""
        typed = self.values.get(name, "").strip()
        if not typed:
            return None
        try:
            value = int(typed)
        except ValueError:
            self.refuse(name, gettext("This has to be a whole number."))
            return None
        if not least <= value <= most:
            self.refuse(
                name, gettext("This has to be between %(least)s and %(most)s.") % {"least": least, "most": most}
            )
            return None
        return value

    def choice(self, name: str, among: Collection[str], default: str = "") -> str:
        """One of some values; the default when the field is empty."""
        value = self.values.get(name, "").strip() or default
        if value not in among and value != default:
            self.refuse(name, gettext("Choose one of those that are offered."))
            return default
        return value

    def is_on(self, name: str) -> bool:
        """Whether a box was ticked."""
        return self.values.get(name, "") in ("on", "1", "true", "yes")

    def every(self, name: str) -> list[str]:
        """Every value of a field that was sent several times."""
        return list(self._all.get(name, []))

    def files(self, name: str) -> list[UploadFile]:
        """The files of a field; what was left empty is none."""
        return [one for one in self._files.get(name, []) if one.filename]

    def refuse(self, name: str, sentence: str) -> None:
        """Note what is wrong with a field; the first fault of a field is the one that is told."""
        self.errors.setdefault(name, sentence)

    def error(self, name: str) -> str:
        """What is wrong with a field; empty when nothing is."""
        return self.errors.get(name, "")

    def value(self, name: str, default: Any = "") -> str:
        """What was typed into a field, else the default."""
        return self.values.get(name, "" if default is None else str(default))

    @property
    def summary(self) -> str:
        """How much there is to mend, in words; empty when nothing is."""
        if not self.errors:
            return ""
        if "" in self.errors:
            return self.errors[""]
        count = len(self.errors)
        told = (
            ngettext("Not saved: %(count)s field to mend.", "Not saved: %(count)s fields to mend.", count)
            if self.saves
            else ngettext("Not sent: %(count)s field to mend.", "Not sent: %(count)s fields to mend.", count)
        )
        return told % {"count": count}


async def read_button(request: Request[Any, Any, Any], known: Collection[str] = ()) -> Form:
    """The form of a button, which leaves nothing to be mended: it is whole, or refused before anything is done.

    Args:
        known: The names of its fields.

    Raises:
        UnsupportedInputError: Something else was sent, too.
    """
    form = await read_form(request, known)
    if form.errors:
        raise UnsupportedInputError("The form has a field that is not known here; open the page again.")
    return form


async def read_form(request: Request[Any, Any, Any], known: Collection[str], *, saves: bool = True) -> Form:
    """The form of a request.

    Args:
        known: The names of its fields; whatever else was sent is refused, so that nothing is set by the way.
        saves: As `Form` has it.
    """
    sent = await sent_form(request)
    form = Form(saves=saves)
    texts: dict[str, list[str]] = {}
    files: dict[str, list[UploadFile]] = {}
    for name, value in sent.multi_items():
        if name in (FORM_FIELD, sent_from.FIELD):
            continue
        if name not in known:
            form.refuse("", gettext("The form has a field that is not known here; open the page again."))
        elif isinstance(value, UploadFile):
            files.setdefault(name, []).append(value)
        else:
            texts.setdefault(name, []).append(str(value))
    form.values = {name: values[-1] for name, values in texts.items()}
    form._all, form._files = texts, files
    return form
