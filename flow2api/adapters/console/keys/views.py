"""What the pages show: a key without its text, and what it was used for today."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.keys.rule_fields import typed
from flow2api.adapters.console.language import gettext, ngettext
from flow2api.adapters.console.links import address
from flow2api.adapters.console.slices import slice_behind
from flow2api.adapters.console.wording import number
from flow2api.domain.api_key import ApiKey
from flow2api.domain.key_rules import EVERY_SCOPE, NO_RULES, KeyRules
from flow2api.domain.statistics import Counts, Dimension

PATH = "/console/keys"
STATES = ("active", "expired", "revoked")
SOON = timedelta(days=7)
"""So long before a key expires its page says so."""

OVERLAPS_H = (1, 24, 24 * 7, 24 * 30)
"""For how many hours the former key may go on."""


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key.

    Attributes:
        made_today: Pictures and videos that were made with it since the day began.
        failed_today: Generations that failed and requests that were refused.
        used_today: What its limit by the day counts; None without one, or where other processes count along.
        state: Whether it opens anything: a word of `STATES`, or ``soon`` when it expires within `SOON`.
    """

    id: int
    name: str
    prefix: str
    tag: str | None
    profile: str | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    rules: KeyRules
    state: str
    made_today: int = 0
    failed_today: int = 0
    used_today: int | None = None

    @property
    def is_active(self) -> bool:
        """Whether it was not revoked, so that it can be changed."""
        return self.revoked_at is None

    @property
    def opens(self) -> bool:
        """Whether it opens anything."""
        return self.state in ("active", "soon")

    @property
    def scopes(self) -> Sequence[str]:
        """The parts of the API that it opens, in words; none when it opens all."""
        words = scope_words()
        return () if self.rules.scopes == EVERY_SCOPE else [words[one] for one in words if one in self.rules.scopes]

    @property
    def limits(self) -> Sequence[str]:
        """Its limits in words; none without any."""
        rules = self.rules
        told = []
        if rules.requests_per_min:
            told.append(gettext("%(count)s a minute") % {"count": number(rules.requests_per_min)})
        if rules.requests_per_min == 0:
            told.append(gettext("any number a minute"))
        if rules.max_concurrent:
            told.append(gettext("%(count)s at once") % {"count": number(rules.max_concurrent)})
        if rules.max_per_day:
            told.append(gettext("%(count)s a day") % {"count": number(rules.max_per_day)})
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyList:
    """The page with all keys.

    Attributes:
        total: How many there are, whatever the filter.
        counts: How many there are in each state, whatever the filter for states.
        before: The address of the page in front of this one; empty for none.
        behind: The address of the page behind it.
    """

    keys: Sequence[KeyView]
    total: int
    active: int
    used_today: int
    text: str
    state: str
    counts: Mapping[str, int]
    facets: Mapping[str, str]
    first: int
    found: int
    before: str
    behind: str
    zone: str

    @property
    def is_filtered(self) -> bool:
        """Whether something is left out."""
        return bool(self.text or self.state)


@dataclass(frozen=True, slots=True)
class NewKeyForm:
    """What a new key can be told.

    Attributes:
        profiles: The response profiles, each as its value and its words.
        tags: Tags that accounts have.
        models: The names of models that there are.
        typed: What stands in the fields for what it may do.
        scopes: The fields for its scopes, each with its words.
    """

    profiles: Sequence[tuple[str, str]]
    tags: Sequence[str]
    models: Sequence[str]
    typed: Mapping[str, str]
    scopes: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A key right after it was made: the only time that its text is shown.

    Attributes:
        former: The key in whose place it came, by the name that it has now; None for none.
    """

    key: KeyView
    text: str
    base_url: str
    former: KeyView | None = None


@dataclass(frozen=True, slots=True)
class OneKey:
    """The page of a key.

    Attributes:
        overlaps: How long the former key may go on when it is rotated, each as its hours and its words.
    """

    key: KeyView
    form: NewKeyForm
    everything: Counts
    overlaps: Sequence[tuple[str, str]]


async def key_list(doors: ConsoleDoors, *, text: str, state: str, after: str) -> KeyList:
    """Keys by name, those that open something first."""
    today = await doors.glance.today(Dimension.KEY)
    known = [view_of(doors, key, today.get(key.id)) for key in await doors.keys.all()]
    sought = text.casefold()
    named = [key for key in known if sought in key.name.casefold() or key.prefix.startswith(text)]
    state = state if state in STATES else ""
    found = sorted(
        (key for key in named if not state or _facet(key) == state),
        key=lambda key: (STATES.index(_facet(key)), key.name.casefold(), key.id),
    )
    page = slice_behind(found, after, lambda key: str(key.id))
    query = {"q": text, "state": state}
    return KeyList(
        keys=page.items,
        total=len(known),
        active=sum(key.opens for key in known),
        used_today=sum(bool(key.made_today or key.failed_today) for key in known),
        text=text,
        state=state,
        counts={"": len(named)} | {one: sum(_facet(key) == one for key in named) for one in STATES},
        facets={one: address(PATH, query, state=one) for one in ("", *STATES)},
        first=page.first,
        found=page.total,
        before=address(PATH, query, after=page.before) if page.has_before else "",
        behind=address(PATH, query, after=page.behind) if page.behind else "",
        zone=str(doors.statistics.zone).removeprefix("Etc/"),
    )


async def new_key(doors: ConsoleDoors) -> NewKeyForm:
    """What there is to choose from."""
    return await _form(doors, NO_RULES)


async def one_key(doors: ConsoleDoors, key: ApiKey) -> OneKey:
    """A key with all that was counted for it."""
    today = await doors.glance.today(Dimension.KEY)
    totals = await doors.statistics.totals(Dimension.KEY)
    view = view_of(doors, key, today.get(key.id))
    return OneKey(view, await _form(doors, key.rules, key.profile), totals.get(key.id, Counts()), _overlaps())


def scope_words() -> Mapping[str, str]:
    """What each scope is called."""
    return {"images": gettext("pictures"), "videos": gettext("videos"), "models": gettext("list of models")}


def view_of(doors: ConsoleDoors, key: ApiKey, today: Counts | None = None) -> KeyView:
    """The key as pages show it."""
    counts = today or Counts()
    return KeyView(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        tag=key.tag,
        profile=key.profile,
        created_at=key.created_at,
        last_used_at=key.last_used_at,
        revoked_at=key.revoked_at,
        rules=key.rules,
        state=state_of(key, doors.clock.now()),
        used_today=doors.used_today(key.line_id) if key.rules.max_per_day else None,
        made_today=counts.images + counts.videos,
        failed_today=counts.errors + counts.refused,
    )


def state_of(key: ApiKey, now: datetime) -> str:
    """Whether it opens anything, in the words of `KeyView.state`."""
    if not key.is_active:
        return "revoked"
    if key.rules.has_expired(now):
        return "expired"
    return "soon" if key.rules.has_expired(now + SOON) else "active"


def _facet(key: KeyView) -> str:
    return "active" if key.opens else key.state


async def _form(doors: ConsoleDoors, rules: KeyRules, profile: str | None = None) -> NewKeyForm:
    return NewKeyForm(
        profiles=_profiles(doors, profile),
        tags=(await doors.browse.filter_values()).tags,
        models=[one.id for one in doors.routes.listed()],
        typed=typed(rules),
        scopes=[
            ("scope_images", gettext("Pictures: make and change them")),
            ("scope_videos", gettext("Videos: make, follow and fetch them")),
            ("scope_models", gettext("The list of models")),
        ],
    )


def _overlaps() -> Sequence[tuple[str, str]]:
    return [
        ("", gettext("until it is revoked")),
        *((str(hours), _hours(hours)) for hours in OVERLAPS_H),
    ]


def _hours(count: int) -> str:
    if count % 24 == 0:
        days = count // 24
        return ngettext("%(count)s more day", "%(count)s more days", days) % {"count": number(days)}
    return ngettext("%(count)s more hour", "%(count)s more hours", count) % {"count": number(count)}


def _profiles(doors: ConsoleDoors, chosen: str | None) -> Sequence[tuple[str, str]]:
    known = [(name, name) for name in doors.keys.profiles]
    if chosen is None or chosen in doors.keys.profiles:
        return known
    return [*known, (chosen, gettext("%(name)s (not there now)") % {"name": chosen})]
