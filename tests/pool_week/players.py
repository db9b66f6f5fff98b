"""The accounts of the week: what each kind is like, and how many there are of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flow2api.domain.account import Capacity
from flow2api.domain.media import MediaKind
from flow2api.domain.proxy import GLOBAL
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.import_accounts import ImportedAccount
from flow2api.simulator.accounts import Account as Player
from flow2api.simulator.control_schema import AccountKnobs
from flow2api.simulator.world import World

HOUR_S = 3600.0
RICH = 1_000_000
FREE, PRO, ULTRA = "PAYGATE_TIER_NOT_PAID", "PAYGATE_TIER_ONE", "PAYGATE_TIER_TWO"
USUAL = Capacity(image=2, video=1)
PROXIES = {
    "alone": {"alone": "http://127.0.0.1:11"},
    "exits": {"exit-a": "http://user:pass@127.0.0.1:12", "exit-b": "socks5h://127.0.0.1:13"},
}
"""The URLs of the proxies that each way has, by name. Nobody is there."""

FILLER = "steady"
"""The kind that there is more of when another number of accounts is wanted."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of account.

    Attributes:
        count: How many there are among 200.
        knobs: How the simulator plays it, where that differs from a paying account that never runs out of credits.
        way: The proxy or the pool of proxies through which it leaves.
    """

    name: str
    count: int
    meaning: str
    knobs: dict[str, Any] = field(default_factory=dict)
    capacity: Capacity = USUAL
    tag: str | None = None
    is_enabled: bool = True
    way: str = GLOBAL


KINDS = (
    Kind(FILLER, 46, "pays, and nothing is wrong with it"),
    Kind("ultra", 16, "has the largest plan", {"tier": ULTRA}, Capacity(image=4, video=2)),
    Kind(
        "free",
        12,
        "does not pay; 60 credits each day",
        {"tier": FREE, "credits": 60, "daily_credits": 60},
        Capacity(1, 1),
    ),
    Kind("studio", 8, "serves a key of its own, too", tag="studio"),
    Kind("callers", 6, "serves a key whose prompts are mostly refused", tag="callers"),
    Kind("throttled", 14, "is told again and again to slow down, with and without a time"),
    Kind("day_quota", 10, "may make 3 a day", {"quota_per_day": 3}),
    Kind("model_quota", 8, "may make 2 a day with one model", {"model_quota_per_day": {"GEM_PIX_2": 2}}),
    Kind("short_token", 8, "has access tokens of one hour", {"at_lifetime_s": HOUR_S}),
    Kind(
        "rotating",
        8,
        "loses each session token after 26 h, and goes stale",
        {"st_window_s": 26 * HOUR_S},
        Capacity(1, 1),
    ),
    Kind("blinking", 8, "its renewals fail for hours, twice"),
    Kind("ended", 6, "its sign-in ends; half of them are signed in again"),
    Kind("grant", 6, "its grant ends: exchanges look good, calls are refused; half are signed in again"),
    Kind("signed_out", 4, "is signed out; half are signed in again"),
    Kind("migrated", 3, "is moved to the successor of the service"),
    Kind("suspected", 5, "is refused as unusual activity for a while"),
    Kind("downgraded", 6, "loses its plan and gets it back"),
    Kind("poor", 6, "runs out of credits; half get new ones", {"credits": 60}),
    Kind("behind_proxy", 5, "leaves through a proxy that dies for a while, and has no other way", way="alone"),
    Kind("behind_pool", 5, "leaves through one of two proxies; one dies, then both", way="exits"),
    Kind("upscale_broken", 4, "fails whenever it enlarges pictures, and at nothing else"),
    Kind("video_broken", 4, "fails at every submit of a video, and at nothing else"),
    Kind("switched_off", 2, "is switched off by the operator", is_enabled=False),
)


@dataclass(slots=True)
class Cast:
    """The players by kind."""

    by_kind: dict[str, list[Player]]
    kind_of: dict[str, Kind]

    def all(self) -> Sequence[Player]:
        return [player for players in self.by_kind.values() for player in players]


def sign_up(world: World, accounts: int) -> Cast:
    """Make the players: so many in all, with a few of every kind among them."""
    by_kind: dict[str, list[Player]] = {}
    kind_of: dict[str, Kind] = {}
    counts = {kind.name: max(2, round(kind.count * accounts / 200)) for kind in KINDS if kind.name != FILLER}
    counts[FILLER] = accounts - sum(counts.values())
    for kind in KINDS:
        by_kind[kind.name] = players = []
        for number in range(counts[kind.name]):
            knobs = AccountKnobs(email=f"{kind.name}-{number}@example.com", **{"credits": RICH, **_copied(kind.knobs)})
            player = world.book.add(knobs, world.clock.now())
            players.append(player)
            kind_of[player.id] = kind
    return Cast(by_kind, kind_of)


def as_rows(cast: Cast) -> list[ImportedAccount | str]:
    """What the operator imports."""
    return [row_of(player, cast.kind_of[player.id]) for player in cast.all()]


def row_of(player: Player, kind: Kind) -> ImportedAccount:
    """One account with the session token that it has now."""
    return ImportedAccount(
        session_token=Secret(player.session_token),
        email=player.knobs.email,
        is_enabled=kind.is_enabled,
        limits={media: kind.capacity.of(media) for media in MediaKind},
        tags=frozenset({kind.tag}) if kind.tag else frozenset(),
    )


def _copied(knobs: dict[str, Any]) -> dict[str, Any]:
    return {name: dict(value) if isinstance(value, dict) else value for name, value in knobs.items()}
