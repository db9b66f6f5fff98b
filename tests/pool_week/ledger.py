"""What is written down on the way: the simulator's record by hour, and how the accounts stood."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from flow2api.app.composition import Services
from flow2api.domain.account import Account, CallKind, RestReason
from flow2api.domain.errors import PoolError, RequestError
from flow2api.domain.media import MediaKind
from flow2api.simulator.accounts import Account as Player
from flow2api.simulator.call import Call
from flow2api.simulator.record import Entry
from flow2api.simulator.world import World
from tests.pool_week.load import HOUR_S, Outcome
from tests.pool_week.troubles import Troubles

SAMPLE_S = 900.0
DAY_S = 24 * HOUR_S
STATES = ("warming", "rate_limited", "quota", "refused", "error_streak", "auth_expired", "unusable", "manual")
"""How accounts stand that are not ready, by what keeps them from work."""

OUTCOMES = ("pictures", "videos", "refused prompts", "no account", "failed")
_OF_PRODUCTS = frozenset({"media_redirect", "get_media", "download_image", "download_video"})
"""What fetches a paid product is asked for several times, whoever it belongs to."""


@dataclass(slots=True)
class Ledger:
    """The figures.

    Attributes:
        states: For each sample the seconds from the start, and how many accounts stood how.
        outcomes: By hour, how requests ended.
        codes: How often requests ended with which code, by whether the caller's prompt was one that is refused.
        calls: By hour, how many calls the simulator got.
        vain: Calls that could not succeed, by dead player and days since its death.
        idle_samples: In how many samples players that could have served were kept from work, by reason of the rest.
    """

    states: list[tuple[float, Counter[str]]] = field(default_factory=list)
    outcomes: defaultdict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    ended: list[Outcome] = field(default_factory=list)
    calls: Counter[int] = field(default_factory=Counter)
    by_call: Counter[str] = field(default_factory=Counter)
    vain: Counter[tuple[str, int]] = field(default_factory=Counter)
    idle_samples: Counter[str] = field(default_factory=Counter)


class Witness:
    """Looks every quarter of an hour."""

    def __init__(self, services: Services, world: World, troubles: Troubles, player_of: dict[int, Player]) -> None:
        self.ledger = Ledger()
        self._services = services
        self._world = world
        self._troubles = troubles
        self._player_of = player_of
        self._start = world.clock.now()
        self._owners: dict[str, str] = {}

    def told(self, outcome: Outcome) -> None:
        """A request has ended."""
        ledger, hour = self.ledger, int(outcome.ended_s / HOUR_S)
        ledger.ended.append(outcome)
        ledger.outcomes[hour][_class_of(outcome)] += 1
        if outcome.error is not None:
            ledger.codes[outcome.code, outcome.asked.word] += 1

    async def watch(self) -> None:
        """Look, for ever."""
        while True:
            self.look()
            await self._services.clock.sleep(SAMPLE_S)

    def look(self) -> None:
        """Read on in the simulator's record, and see how the accounts stand."""
        entries = self._world.record.entries
        while entries:
            self._count(entries.popleft())
        self._world.record.body_bytes = 0
        now, states = self._services.clock.now(), Counter[str]()
        for account_id, player in self._player_of.items():
            account = self._services.pool.get(account_id)
            if account is None:
                continue
            states[_state_of(account, self._services)] += 1
            rest = account.blocking_rest(now, CallKind.PICTURE)
            if rest is not None and rest.reason is not RestReason.MANUAL and self.could_serve(player):
                self.ledger.idle_samples[rest.reason.value] += 1
        self.ledger.states.append((self._services.clock.monotonic(), states))

    def could_serve(self, player: Player) -> bool:
        """Whether the service would make a picture for this player now, as far as the player itself goes."""
        knobs, world = player.knobs, self._world
        if self._troubles.is_dead(player) or knobs.refused_reason is not None or knobs.migrated:
            return False
        used = player.usage.get("", 0) if player.usage_day == world.clock.today() else 0
        if knobs.quota_per_day is not None and used >= knobs.quota_per_day:
            return False
        if self._troubles.is_closed(player):
            return False
        return not any(self._is_struck(player, call) for call in ("generate_images", "exchange"))

    def _is_struck(self, player: Player, call: str) -> bool:
        return any(
            fault.call in ("*", call)
            and fault.account in (None, player.id)
            and (fault.times is None or fault.hits < fault.times)
            for fault in self._world.faults.faults
        )

    def _count(self, entry: Entry) -> None:
        call, at = entry.call, entry.at - self._start
        self.ledger.calls[int(at / HOUR_S)] += 1
        self.ledger.by_call[call.name] += 1
        player = self._owner_of(call)
        died = None if player is None else self._troubles.truth.died.get(player)
        if player is None or died is None or at < died or at > self._troubles.truth.revived.get(player, at):
            return
        if call.name in _OF_PRODUCTS:
            return
        if call.name == "exchange" or entry.status >= 300:
            self.ledger.vain[player, int((at - died) / DAY_S)] += 1

    def _owner_of(self, call: Call) -> str | None:
        """Whose call it was; by a token that is dead now the simulator itself knows its owner no more."""
        token = call.cookie or call.bearer
        if token is None:
            return None
        if call.account is not None:
            self._owners[token] = call.account.id
        return self._owners.get(token)


def _class_of(outcome: Outcome) -> str:
    if outcome.error is None:
        return "videos" if "t2v" in outcome.asked.model else "pictures"
    if issubclass(outcome.error, RequestError):
        return "refused prompts"
    return "no account" if issubclass(outcome.error, PoolError) else "failed"


def _state_of(account: Account, services: Services) -> str:
    rest = account.blocking_rest(services.clock.now())
    if rest is None:
        return "active" if account.is_warm else "warming"
    return rest.reason.value


def overlap(spans: list[tuple[float, float]]) -> int:
    """How many spans there were at once at most; one that begins when another ends does not meet it."""
    edges = sorted(
        [(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans], key=lambda edge: (edge[0], edge[1])
    )
    most = at_once = 0
    for _, step in edges:
        at_once += step
        most = max(most, at_once)
    return most


def slots_of(account: Account) -> int:
    """How many generations it may carry at once, of all kinds."""
    limits = [account.capacity.of(kind) for kind in MediaKind]
    return sum(limit or 0 for limit in limits)
