"""What the pages show: a key without its text, and what it was used for today."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.keys.rule_fields import typed
from flow2api.adapters.console.language import gettext, ngettext
from flow2api.adapters.console.wording import number
from flow2api.domain.api_key import ApiKey
from flow2api.domain.key_rules import EVERY_SCOPE, NO_RULES, KeyRules
from flow2api.domain.statistics import Counts, Dimension

PATH = "/console/keys"
SOON = timedelta(days=7)
"""So long before a key expires its page says so."""

_MODELS_IN_A_LIST = 2

OVERLAPS_H = (1, 24, 24 * 7, 24 * 30)
"""For how many hours the former key may go on."""


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key, and what pages tell of it besides.

    Attributes:
        made_today: Pictures and videos that were made with it since the day began.
        failed_today: Generations that failed and requests that were refused.
        used_today: What its limit by the day counts; None without one, or where other processes count along.
        state: Whether it opens anything: ``active``, ``soon`` when it expires within `SOON`,
            ``expired`` or ``revoked``.
    """

    facts: ApiKey
    state: str
    made_today: int = 0
    failed_today: int = 0
    used_today: int | None = None

    @property
    def counted_today(self) -> int:
        """What the list tells as used today."""
        return self.made_today if self.used_today is None else self.used_today

    @property
    def is_active(self) -> bool:
        """Whether it was not revoked, so that it can be changed."""
        return self.facts.is_active

    @property
    def opens(self) -> bool:
        """Whether it opens anything."""
        return self.state in ("active", "soon")

    @property
    def scopes(self) -> Sequence[str]:
        """The parts of the API that it opens, in words; none when it opens all."""
        words = scope_words()
        return (
            ()
            if self.facts.rules.scopes == EVERY_SCOPE
            else [words[one] for one in words if one in self.facts.rules.scopes]
        )

    @property
    def first_models(self) -> Sequence[str]:
        """The names and patterns of models that there is room for in a list."""
        return self.facts.rules.models[:_MODELS_IN_A_LIST]

    @property
    def further_models(self) -> int:
        """How many names and patterns there are besides."""
        return len(self.facts.rules.models) - len(self.first_models)

    @property
    def limits(self) -> Sequence[str]:
        """Its limits in words; none without any."""
        rules = self.facts.rules
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
        beside: The others that still work and count to its limits.
    """

    key: KeyView
    form: NewKeyForm
    everything: Counts
    overlaps: Sequence[tuple[str, str]]
    beside: Sequence[ApiKey]


async def new_key(doors: ConsoleDoors) -> NewKeyForm:
    """What there is to choose from."""
    return await _form(doors, NO_RULES)


async def one_key(doors: ConsoleDoors, key: ApiKey) -> OneKey:
    """A key with all that was counted for it."""
    today = await doors.glance.today(Dimension.KEY)
    totals = await doors.statistics.totals(Dimension.KEY)
    view, now = view_of(doors, key, today.get(key.id)), doors.clock.now()
    return OneKey(
        view,
        await _form(doors, key.rules, key.profile),
        totals.get(key.id, Counts()),
        _overlaps(),
        [one for one in await doors.keys.line_of(key) if one.id != key.id and one.opens(now)],
    )


def scope_words() -> Mapping[str, str]:
    """What each scope is called."""
    return {"images": gettext("pictures"), "videos": gettext("videos"), "models": gettext("list of models")}


def view_of(doors: ConsoleDoors, key: ApiKey, today: Counts | None = None) -> KeyView:
    """The key as pages show it."""
    counts = today or Counts()
    return KeyView(
        facts=key,
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
