"""The last change of a group of options, by the audit log, and how it is taken back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.settings.groups import Group
from flow2api.adapters.console.settings.typed import typed
from flow2api.domain.audit import AuditAction, AuditEntry, AuditFilter
from flow2api.domain.options import OF_OWNERS, OptionSource, OptionStanding

_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class ChangedOption:
    """What a change did to one option, as its field would show it."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class LastChange:
    """The newest change of a group.

    Attributes:
        is_in_force: Whether everything stands still as the change left it, so that it can be taken back.
        is_of_owners: Whether only an owner may take it back.
    """

    number: int
    at: datetime
    by: str
    options: Sequence[ChangedOption]
    is_in_force: bool
    is_of_owners: bool


async def last_change(doors: ConsoleDoors, group: Group) -> LastChange | None:
    """The newest change of a group; None when nobody has changed it, or not for long."""
    entry = await last_entry(doors, group)
    if entry is None:
        return None
    before, after = before_and_after(entry)
    labels = {one.name: one.label for one in group.options}
    standing = {one.name: one for one in await doors.options.standing()}
    return LastChange(
        number=entry.number,
        at=entry.at,
        by=entry.actor.name,
        options=[
            ChangedOption(
                labels.get(name, name), _shown(before.get(name), standing.get(name)), _shown(value, standing.get(name))
            )
            for name, value in after.items()
        ],
        is_in_force=is_in_force(after, standing),
        is_of_owners=bool(OF_OWNERS & after.keys()),
    )


async def last_entry(doors: ConsoleDoors, group: Group) -> AuditEntry | None:
    """The newest entry of the audit log that tells of a change of this group."""
    names = {one.name for one in group.options}
    wanted = AuditFilter(action=AuditAction.OPTIONS_CHANGED.value)
    page = await doors.audit_log.page(wanted, limit=_LOOKED_AT)
    return next((entry for entry in page.items if names & before_and_after(entry)[1].keys()), None)


def before_and_after(entry: AuditEntry) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The values that an entry tells of."""
    before, after = entry.details.get("before"), entry.details.get("after")
    return before if isinstance(before, Mapping) else {}, after if isinstance(after, Mapping) else {}


def is_in_force(after: Mapping[str, Any], standing: Mapping[str, OptionStanding]) -> bool:
    """Whether these values stand still, and can be changed here."""
    for name, value in after.items():
        one = standing.get(name)
        if one is None or one.source is OptionSource.SETTINGS:
            return False
        if typed(one.default if value is None else value) != typed(one.value):
            return False
    return True


def _shown(value: Any, one: OptionStanding | None) -> str:
    if value is None:
        return "" if one is None else typed(one.default)
    return typed(value)
