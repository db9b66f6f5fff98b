"""What the page of a group of options shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext, retold
from flow2api.adapters.console.settings.drafts import Draft, may_set
from flow2api.adapters.console.settings.groups import Group, groups
from flow2api.adapters.console.settings.last_change import LastChange, last_change
from flow2api.adapters.console.settings.typed import kind_of, typed
from flow2api.adapters.console.settings.words import OptionWords
from flow2api.adapters.console.visit import Visit
from flow2api.adapters.console.wording import number
from flow2api.domain.options import OF_OWNERS, OptionSource, OptionStanding
from flow2api.domain.usecases.foresee_choices import Foreseen


@dataclass(frozen=True, slots=True)
class Tab:
    """An entry beside the settings."""

    path: str
    title: str
    is_here: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionView:
    """An option as its row shows it.

    Attributes:
        kind: The control: ``switch``, ``number``, ``names``, ``routes``, ``text``, or ``choice``.
        text: What stands in the field; ``was`` is what is in force, as text.
        shown_default: The default in words.
        source: ``settings``, ``set`` or ``default``.
        fixed_by: The variable or the file that fixes it.
        is_changed: Whether the field differs from what is in force.
        now: What is in force, in words, when somebody else has changed it meanwhile.
        whose: Who alone may set it, in words; empty when the visitor may.
    """

    words: OptionWords
    kind: str
    text: str
    was: str
    shown_default: str
    is_default: bool
    source: str
    fixed_by: str
    choices: Sequence[str]
    may_set: bool
    is_changed: bool
    error: str
    now: str
    whose: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A row of what is to be saved."""

    label: str
    old: str
    new: str
    is_risky: bool
    acts_at_start: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPage:
    """A group of options.

    Attributes:
        next: For the balancing of load: who would get the next generations, under the policy that stands in the form.
        policies: What each selection policy does.
        beside: What else there is to this group; None for most.
    """

    tabs: Sequence[Tab]
    group: Group
    options: Sequence[OptionView]
    changes: Sequence[Changed]
    can_save: bool
    errors: int
    last: LastChange | None
    next: Sequence[Foreseen]
    policy: str
    policies: Mapping[str, str]
    beside: Any = None


def tabs(here: str) -> list[Tab]:
    """The navigation of the settings."""
    entries = [(group.name, group.title) for group in groups()]
    entries += [("operators", gettext("Operators")), ("start-up", gettext("Start-up settings"))]
    return [Tab(f"/console/settings/{name}", title, name == here) for name, title in entries]


async def page_of(
    visit: Visit, group: Group, draft: Draft, standing: Mapping[str, OptionStanding], beside: Any = None
) -> GroupPage:
    """The page of a group, with what was typed."""
    options = [_option(visit, words, standing[words.name], draft) for words in group.options]
    policy = draft.changes.get("policy") or visit.doors.options().policy
    return GroupPage(
        tabs=tabs(group.name),
        group=group,
        options=options,
        changes=[
            _changed(words, standing[words.name], draft) for words in group.options if words.name in draft.changes
        ],
        can_save=bool(draft.changes) and not draft.form.errors,
        errors=len(draft.form.errors),
        last=await last_change(visit.doors, group),
        next=_next(visit.doors, policy) if group.name == "balancing" else (),
        policy=policy,
        policies=_policies(visit.doors) if group.name == "balancing" else {},
        beside=beside,
    )


def shown(value: Any, unit: str = "") -> str:
    """A value in words."""
    if isinstance(value, bool):
        return gettext("On") if value else gettext("Off")
    if isinstance(value, int | float):
        text = number(value, 0 if float(value).is_integer() else 2)
        # One of something stands alone, for the units are plurals.
        return gettext("%(value)s %(unit)s") % {"value": text, "unit": unit} if unit and value != 1 else text
    return typed(value) or gettext("none")


def _policies(doors: ConsoleDoors) -> Mapping[str, str]:
    return {name: retold(words) if words else "" for name, words in doors.policies.items()}


def _next(doors: ConsoleDoors, policy: str) -> Sequence[Foreseen]:
    return doors.foresee(policy) if policy in doors.policies else ()


def _option(visit: Visit, words: OptionWords, one: OptionStanding, draft: Draft) -> OptionView:
    was = typed(one.value)
    typed_in = f"was.{one.name}" in draft.form.values
    whose = ""
    if one.source is not OptionSource.SETTINGS and not may_set(visit, one):
        whose = gettext("Only an owner sets this.") if one.name in OF_OWNERS else gettext("Viewers set nothing.")
    return OptionView(
        words=words,
        kind="choice" if one.choices else kind_of(one.name, one.default),
        text=draft.form.value(one.name) if typed_in else was,
        was=was,
        shown_default=shown(one.default, words.unit),
        is_default=one.value == one.default,
        source=one.source.value,
        fixed_by=one.fixed_by,
        choices=one.choices,
        may_set=may_set(visit, one),
        is_changed=one.name in draft.changes,
        error=draft.form.error(one.name),
        now=shown(one.value, words.unit) if one.name in draft.stale else "",
        whose=whose,
    )


def _changed(words: OptionWords, one: OptionStanding, draft: Draft) -> Changed:
    value = draft.changes[one.name]
    new = one.default if value is None else value
    return Changed(
        words.label, shown(one.value, words.unit), shown(new, words.unit), words.is_risky, words.acts_at_start
    )
