"""What is done to many accounts at once: what a form asks for, what is asked back, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flow2api.adapters.console.accounts.narrowing import FIELDS, PATH, Narrowing
from flow2api.adapters.console.forms import Form
from flow2api.adapters.console.language import gettext, ngettext, retold
from flow2api.adapters.console.links import address
from flow2api.adapters.console.wording import number
from flow2api.domain.media import MediaKind
from flow2api.domain.usecases.act_on_accounts import BulkAction, BulkRun
from flow2api.domain.usecases.change_account import AccountChange
from flow2api.domain.usecases.manage_accounts import HEAVIEST, LAST_PRIORITY, MOST_SLOTS

AT_ONCE = ("test", "refresh", "pause", "enable")
ASKED = ("limits", "tag", "delete")
"""What needs a second page: more to say, or a confirmation."""

BULK_FIELDS = ("do", "id", "all", "asked", "confirm", *FIELDS)
LIMIT_FIELDS = ("image", "image_change", "video", "video_change", "weight", "priority")
TAG_FIELDS = ("add", "remove")

_ACTIONS = {
    "test": BulkAction.TEST,
    "refresh": BulkAction.REFRESH,
    "pause": BulkAction.PAUSE,
    "enable": BulkAction.ENABLE,
    "limits": BulkAction.CHANGE,
    "tag": BulkAction.CHANGE,
    "delete": BulkAction.DELETE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The page that asks before something is done to many.

    Attributes:
        ids: Those that were chosen one by one; none when all that pass the filter are meant.
        names: What some of them are called.
        confirm: What has to be typed.
        back: Where to go to leave them alone.
        keeps_deleted: Whether deleted ones can be brought back for a while.
    """

    do: str
    count: int
    ids: Sequence[int]
    is_all: bool
    names: Sequence[str]
    confirm: str
    fields: Mapping[str, str]
    back: str
    keeps_deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkReport:
    """What is done to many accounts, as far as it has come.

    Attributes:
        failures: Accounts to which it could not be done, with the reason; the first ones.
        more: How many more of those there are.
        can_be_undone: Whether something was done that can be taken back.
    """

    number: int
    title: str
    sentence: str
    done: int
    failed: int
    total: int
    is_over: bool
    kind: str
    failures: Sequence[tuple[int, str, str]]
    more: int
    can_be_undone: bool


def action_of(do: str) -> BulkAction:
    """The action that a button stands for."""
    return _ACTIONS[do]


def change_of(do: str, form: Form) -> AccountChange:
    """What a form wants to be different; what is wrong with it is noted there."""
    return _tags(form) if do == "tag" else _limits(form) if do == "limits" else AccountChange()


def split_tags(text: str) -> frozenset[str]:
    """Tags as they are typed: with commas or blanks between."""
    return frozenset(text.replace(",", " ").split())


def report_of(run: BulkRun) -> BulkReport:
    """The report of a run, over or not."""
    shown = run.failures[:10]
    return BulkReport(
        number=run.number,
        title=_title(run.action, run.is_over),
        sentence=_sentence(run),
        done=run.done,
        failed=run.failed,
        total=run.total,
        is_over=run.is_over,
        kind="info" if not run.is_over else "warn" if run.failed else "ok",
        failures=[(one.account_id, one.name, retold(one.message)) for one in shown],
        more=run.failed - len(shown),
        can_be_undone=run.can_be_undone,
    )


def _limits(form: Form) -> AccountChange:
    limits: dict[MediaKind, int | None] = {}
    for kind, name in ((MediaKind.IMAGE, "image"), (MediaKind.VIDEO, "video")):
        value = form.whole(name, most=MOST_SLOTS)
        if form.is_on(f"{name}_change"):
            limits[kind] = value
        elif form.value(name).strip():
            form.refuse(name, gettext("Tick the box beside it, too, if this is to be set."))
    weight, priority = form.whole("weight", least=1, most=HEAVIEST), form.whole("priority", most=LAST_PRIORITY)
    if not limits and weight is None and priority is None and not form.errors:
        form.refuse("", gettext("Nothing was chosen that is to be set."))
    return AccountChange(limits=limits, weight=weight, priority=priority)


def _tags(form: Form) -> AccountChange:
    added, removed = split_tags(form.text("add")), split_tags(form.text("remove"))
    if not added and not removed:
        form.refuse("add", gettext("Type a tag to put on, or one to take off."))
    return AccountChange(added_tags=added, removed_tags=removed)


def _title(action: BulkAction, is_over: bool) -> str:
    under_way = {
        BulkAction.TEST: gettext("Testing accounts"),
        BulkAction.REFRESH: gettext("Refreshing accounts"),
        BulkAction.PAUSE: gettext("Pausing accounts"),
        BulkAction.ENABLE: gettext("Enabling accounts"),
        BulkAction.CHANGE: gettext("Changing accounts"),
        BulkAction.DELETE: gettext("Deleting accounts"),
        BulkAction.UNDO: gettext("Putting accounts back as they were"),
    }
    over = {
        BulkAction.TEST: gettext("Accounts tested"),
        BulkAction.REFRESH: gettext("Accounts refreshed"),
        BulkAction.PAUSE: gettext("Accounts paused"),
        BulkAction.ENABLE: gettext("Accounts enabled"),
        BulkAction.CHANGE: gettext("Accounts changed"),
        BulkAction.DELETE: gettext("Accounts deleted"),
        BulkAction.UNDO: gettext("Accounts put back as they were"),
    }
    return (over if is_over else under_way)[action]


def _sentence(run: BulkRun) -> str:
    counts = {"done": number(run.done), "total": number(run.total), "failed": number(run.failed)}
    if not run.is_over:
        return gettext("%(done)s of %(total)s done so far, %(failed)s failed.") % counts
    if run.failed:
        return gettext("It went well for %(done)s of %(total)s, and failed for %(failed)s.") % counts
    return ngettext("It went well for %(done)s account.", "It went well for all %(done)s accounts.", run.done) % counts


def back_to(asked: Narrowing, run: BulkRun | None = None) -> str:
    """The list as it was, with the report of a run."""
    link = asked.link()
    if run is None:
        return link
    return f"{link}{'&' if '?' in link else '?'}run={run.number}"


def undo_path(asked: Narrowing, number: int) -> str:
    """Where a run is taken back; from there it leads to the list as it was."""
    return address(f"{PATH}/bulk/{number}/undo", asked.fields())
