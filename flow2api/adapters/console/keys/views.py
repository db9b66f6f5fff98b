"""What the pages show: a key without its text, and what it was used for today."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.links import address
from flow2api.adapters.console.slices import slice_behind
from flow2api.domain.api_key import ApiKey
from flow2api.domain.statistics import Counts, Dimension

PATH = "/console/keys"
STATES = ("active", "revoked")


@dataclass(frozen=True, slots=True)
class KeyView:
    """A key.

    Attributes:
        made_today: Pictures and videos that were made with it since the day began.
        failed_today: Generations that failed and requests that were refused.
    """

    id: int
    name: str
    prefix: str
    tag: str | None
    profile: str | None
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    made_today: int = 0
    failed_today: int = 0

    @property
    def is_active(self) -> bool:
        """Whether it opens anything."""
        return self.revoked_at is None


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
    """

    profiles: Sequence[tuple[str, str]]
    tags: Sequence[str]


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A key right after it was made: the only time that its text is shown.

    Attributes:
        former: The name that the key in whose place it came has now; empty for none.
    """

    key: KeyView
    text: str
    base_url: str
    former: str = ""


@dataclass(frozen=True, slots=True)
class OneKey:
    """The page of a key."""

    key: KeyView
    profiles: Sequence[tuple[str, str]]
    tags: Sequence[str]
    everything: Counts


async def key_list(doors: ConsoleDoors, *, text: str, state: str, after: str) -> KeyList:
    """Keys by name, those that open something first."""
    today = await doors.glance.today(Dimension.KEY)
    known = [view_of(key, today.get(key.id)) for key in await doors.keys.all()]
    sought = text.casefold()
    named = [key for key in known if sought in key.name.casefold() or key.prefix.startswith(text)]
    state = state if state in STATES else ""
    found = sorted(
        (key for key in named if not state or key.is_active is (state == "active")),
        key=lambda key: (not key.is_active, key.name.casefold(), key.id),
    )
    page = slice_behind(found, after, lambda key: str(key.id))
    query = {"q": text, "state": state}
    active = sum(key.is_active for key in named)
    return KeyList(
        keys=page.items,
        total=len(known),
        active=sum(key.is_active for key in known),
        used_today=sum(bool(key.made_today or key.failed_today) for key in known),
        text=text,
        state=state,
        counts={"": len(named), "active": active, "revoked": len(named) - active},
        facets={one: address(PATH, query, state=one) for one in ("", *STATES)},
        first=page.first,
        found=page.total,
        before=address(PATH, query, after=page.before) if page.has_before else "",
        behind=address(PATH, query, after=page.behind) if page.behind else "",
        zone=str(doors.statistics.zone),
    )


async def new_key(doors: ConsoleDoors) -> NewKeyForm:
    """What there is to choose from."""
    return NewKeyForm(_profiles(doors), (await doors.browse.filter_values()).tags)


async def one_key(doors: ConsoleDoors, key_id: int) -> OneKey:
    """A key with all that was counted for it.

    Raises:
        NotKnownError: There is none.
    """
    key = await doors.keys.get(key_id)
    today = await doors.glance.today(Dimension.KEY)
    totals = await doors.statistics.totals(Dimension.KEY)
    view = view_of(key, today.get(key.id))
    return OneKey(view, _profiles(doors), (await doors.browse.filter_values()).tags, totals.get(key.id, Counts()))


def view_of(key: ApiKey, today: Counts | None = None) -> KeyView:
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
        made_today=counts.images + counts.videos,
        failed_today=counts.errors + counts.refused,
    )


def _profiles(doors: ConsoleDoors) -> Sequence[tuple[str, str]]:
    return [(name, name) for name in doors.keys.profiles]
