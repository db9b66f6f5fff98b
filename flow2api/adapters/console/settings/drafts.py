"""What an operator has typed into a group of options: what it changes, what is wrong, what others have changed meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.errors import sentence_of
from flow2api.adapters.console.forms import Form
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.settings.groups import Group
from flow2api.adapters.console.settings.typed import WrongValueError, is_same, typed, value_of
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import Flow2ApiError, NotAllowedError, UnsupportedInputError
from flow2api.domain.options import OF_OWNERS, OptionSource, OptionStanding

WAS = "was."
"""Before the name of an option: the field that holds what the form showed when it was opened."""


@dataclass(slots=True)
class Draft:
    """A group of options as it was typed.

    Attributes:
        form: What was typed, with what is wrong beside each field.
        changes: The values that differ from those in force, by option; None goes back to the default.
        stale: What is in force now, as text, for options that somebody else has changed meanwhile.
    """

    form: Form = field(default_factory=Form)
    changes: dict[str, Any] = field(default_factory=dict)
    stale: dict[str, str] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether it can be saved as it is."""
        return bool(self.changes) and not self.form.errors and not self.stale


def known_fields(group: Group) -> set[str]:
    """The fields that a form of this group may have."""
    names = [one.name for one in group.options]
    return {*names, *(f"{WAS}{name}" for name in names), "step", "reset"}


def may_set(visit: Visit, one: OptionStanding) -> bool:
    """Whether the visitor may change this option here."""
    if one.source is OptionSource.SETTINGS or not visit.may_change():
        return False
    return one.name not in OF_OWNERS or visit.is_owner()


async def draft_of(visit: Visit, group: Group, form: Form, standing: Mapping[str, OptionStanding]) -> Draft:
    """What the form comes to. Fields that were left as they were shown change nothing.

    Raises:
        NotAllowedError: The form has a value of an option that only owners set.
    """
    draft = Draft(form)
    _reset(form, standing)
    for words in group.options:
        one = standing[words.name]
        if f"{WAS}{one.name}" not in form.values:
            continue
        if not may_set(visit, one):
            raise NotAllowedError(f"The option {one.name} is not yours to set here.")
        _look_at(draft, one)
    await _check(visit.doors, draft)
    return draft


def _reset(form: Form, standing: Mapping[str, OptionStanding]) -> None:
    name = form.value("reset")
    if name in standing:
        form.values[name] = typed(standing[name].default)


def _look_at(draft: Draft, one: OptionStanding) -> None:
    form = draft.form
    text, was, now = form.value(one.name), form.value(f"{WAS}{one.name}"), typed(one.value)
    if is_same(text, was) or is_same(text, now):
        if not is_same(was, now):  # it was left alone here, and changed elsewhere
            form.values[one.name] = now
        return
    if not is_same(was, now):
        draft.stale[one.name] = now
    try:
        value = value_of(one.name, text, one.default)
    except WrongValueError as error:
        form.refuse(one.name, str(error))
        return
    if one.choices and value not in one.choices:
        form.refuse(one.name, gettext("Choose one of those that are offered."))
        return
    draft.changes[one.name] = None if value == one.default else value


async def _check(doors: ConsoleDoors, draft: Draft) -> None:
    """Each change by itself, so that what is wrong stands beside its field; then all of them together."""
    for name, value in draft.changes.items():
        try:
            await doors.options.check({name: value})
        except Flow2ApiError as error:
            draft.form.refuse(name, sentence_of(error))
    if len(draft.changes) > 1 and not draft.form.errors:
        try:
            await doors.options.check(draft.changes)
        except UnsupportedInputError as error:
            draft.form.refuse("", sentence_of(error))
