"""What befalls the service and the accounts, and when."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from flow2api.simulator.accounts import Account as Player
from flow2api.simulator.control_schema import Fault
from flow2api.simulator.world import World
from tests.pool_week.players import FREE, PRO, PROXIES, RICH, Cast
from tests.pool_week.wire import DirectTransport

OUTAGE_S = 2 * 3600.0
_GENERATIONS = ("generate_images", "submit_text_video")
_WAVES = 12

Happening = Callable[[], Awaitable[None] | None]


@dataclass(slots=True)
class Truth:
    """What really is, which the gateway has to find out.

    Attributes:
        died: When players died that only the operator can bring back; all times are seconds from the start.
        revived: When the operator did so.
        outage: Begin and end of the outage.
    """

    died: dict[str, float] = field(default_factory=dict)
    revived: dict[str, float] = field(default_factory=dict)
    outage: tuple[float, float] = (0.0, 0.0)


class Troubles:
    """The timeline of troubles; times are parts of the troubled span, which ends well before the end.

    Args:
        span_s: How long the troubled span is.
        sign_in: Lets the operator bring a new session token.
    """

    def __init__(
        self,
        world: World,
        cast: Cast,
        transport: DirectTransport,
        span_s: float,
        sign_in: Callable[[Player], Awaitable[None]],
    ) -> None:
        self._world = world
        self._cast = cast
        self._transport = transport
        self._span_s = span_s
        self._sign_in = sign_in
        self._start = world.clock.now()
        self.truth = Truth(outage=(0.4 * span_s, 0.4 * span_s + OUTAGE_S))

    def timeline(self) -> Sequence[tuple[float, Happening]]:
        """Everything that happens, in order: when, in seconds from the start, and what."""
        of = self._cast.by_kind
        happenings: list[tuple[float, Happening]] = [
            *self._waves(of["throttled"]),
            *self._stale(of["rotating"]),
            *self._hiccups(),
            *self._endings(of),
            *self._outage(),
            *self._proxies(),
        ]
        for begin, end in ((0.1, 0.2), (0.65, 0.7)):
            happenings += self._failing(of["blinking"], ("exchange", "credits"), begin, end, status=503)
        happenings += self._failing(of["upscale_broken"], ("upscale_image",), 0.05, 0.95, status=500)
        happenings += self._failing(of["video_broken"], ("submit_text_video",), 0.05, 0.95, status=500)
        for player in of["suspected"]:
            happenings += [
                (0.25, self._knob(player, refused_reason="PUBLIC_ERROR_UNUSUAL_ACTIVITY")),
                (0.35, self._knob(player, refused_reason=None)),
            ]
        for player in of["downgraded"]:
            happenings += [(0.3, self._knob(player, tier=FREE)), (0.6, self._knob(player, tier=PRO))]
        happenings += [(0.7, self._knob(player, credits=RICH)) for player in of["poor"][::2]]
        return sorted(((part * self._span_s, what) for part, what in happenings), key=lambda entry: entry[0])

    def is_dead(self, player: Player) -> bool:
        return player.id in self.truth.died and player.id not in self.truth.revived

    def is_closed(self, player: Player) -> bool:
        """Whether its way out lets nothing through now."""
        ways = PROXIES.get(self._cast.kind_of[player.id].way)
        return ways is not None and self._transport.closed.issuperset(ways.values())

    def _proxies(self) -> list[tuple[float, Happening]]:
        """One dies that is the only way; then one of a pool, and with it for a while the other one."""
        (alone,), (first, second) = (PROXIES[way].values() for way in ("alone", "exits"))
        closed = self._transport.closed
        return [
            (0.2, lambda: closed.add(alone)),
            (0.26, lambda: closed.discard(alone)),
            (0.5, lambda: closed.add(first)),
            (0.64, lambda: closed.add(second)),
            (0.66, closed.clear),
        ]

    def _endings(self, of: dict[str, list[Player]]) -> list[tuple[float, Happening]]:
        deaths: list[tuple[float, Sequence[Player], dict[str, object]]] = [
            (0.1, of["ended"], {"refresh_needed": True}),
            (0.12, of["grant"], {"grant_expired": True}),
            (0.15, of["signed_out"][::2], {"signed_out": True}),
            (0.15, of["signed_out"][1::2], {"revoked": "unauthorized"}),
            (0.2, of["migrated"], {"migrated": True}),
        ]
        dying = [(part, player, knobs) for part, players, knobs in deaths for player in players]
        happenings: list[tuple[float, Happening]] = [
            (part, self._death(player, **knobs)) for part, player, knobs in dying
        ]
        for kind in ("ended", "grant", "signed_out"):
            happenings += [(0.55, self._revival(player)) for player in of[kind][: len(of[kind]) // 2]]
        return happenings

    def _outage(self) -> list[tuple[float, Happening]]:
        """For an hour the service answers 503 to everything, for another it closes every connection."""
        begin, end = (at / self._span_s for at in self.truth.outage)
        middle = (begin + end) / 2
        refusing, cutting = Fault(kind="error", status=503, times=None), Fault(kind="drop", times=None)
        return [
            (begin, lambda: self._begin(refusing)),
            (middle, lambda: self._end(refusing)),
            (middle, lambda: self._begin(cutting)),
            (end, lambda: self._end(cutting)),
        ]

    def _waves(self, players: Sequence[Player]) -> list[tuple[float, Happening]]:
        """Every wave tells some players to slow down; every other one says for how long."""
        happenings: list[tuple[float, Happening]] = []
        for wave in range(_WAVES):
            retry_after_s = 1800.0 if wave % 2 else None
            for player in players[wave % 3 :: 3]:
                faults = [
                    Fault(kind="error", call=call, account=player.id, status=429, times=2, retry_after_s=retry_after_s)
                    for call in _GENERATIONS
                ]
                happenings += self._passing(faults, (wave + 0.2) / _WAVES, (wave + 0.8) / _WAVES)
        return happenings

    def _stale(self, players: Sequence[Player]) -> list[tuple[float, Happening]]:
        return [
            ((turn + 0.3) / 4, self._knob(player, stale_then_rotate=True))
            for turn in range(4)
            for player in players[::2]
        ]

    def _hiccups(self) -> list[tuple[float, Happening]]:
        """What any service does now and then, to whoever it hits."""
        faults = [
            Fault(kind="drop", call="generate_images", times=3),
            Fault(kind="malformed", call="poll_videos", times=3),
            Fault(kind="html", call="generate_images", status=502, times=3),
            Fault(kind="drop", call="submit_text_video", times=1, work_done=True),
            Fault(kind="truncate", call="download_image", times=3),
            Fault(kind="latency", call="generate_images", latency_s=100.0, times=3),
            Fault(kind="latency", call="poll_videos", latency_s=60.0, times=3),
            Fault(kind="fail_job", call="submit_text_video", times=2),
            Fault(kind="error", call="generate_images", status=503, reason="PUBLIC_ERROR_HIGH_TRAFFIC", times=3),
        ]
        happenings: list[tuple[float, Happening]] = []
        for number, fault in enumerate([*faults, *map(_again, faults)]):
            happenings += self._passing([fault], (number + 0.5) / (2 * len(faults)), 1.0)
        return happenings

    def _failing(
        self, players: Sequence[Player], calls: Sequence[str], begin: float, end: float, *, status: int
    ) -> list[tuple[float, Happening]]:
        faults = [
            Fault(kind="error", call=call, account=player.id, status=status, times=None)
            for player in players
            for call in calls
        ]
        return self._passing(faults, begin, end)

    def _passing(self, faults: Sequence[Fault], begin: float, end: float) -> list[tuple[float, Happening]]:
        return [(begin, lambda: self._begin(*faults)), (end, lambda: self._end(*faults))]

    def _begin(self, *faults: Fault) -> None:
        for fault in faults:
            self._world.faults.add(fault)

    def _end(self, *faults: Fault) -> None:
        kept = [fault for fault in self._world.faults.faults if not any(fault is gone for gone in faults)]
        self._world.faults.faults[:] = kept

    def _knob(self, player: Player, **knobs: object) -> Happening:
        def change() -> None:
            for name, value in knobs.items():
                setattr(player.knobs, name, value)

        return change

    def _death(self, player: Player, **knobs: object) -> Happening:
        def die() -> None:
            for name, value in knobs.items():
                setattr(player.knobs, name, value)
            self.truth.died[player.id] = self._world.clock.now() - self._start

        return die

    def _revival(self, player: Player) -> Happening:
        async def revive() -> None:
            self._world.book.sign_in(player, self._world.clock.now())
            await self._sign_in(player)
            self.truth.revived[player.id] = self._world.clock.now() - self._start

        return revive


def _again(fault: Fault) -> Fault:
    return Fault(
        kind=fault.kind,
        call=fault.call,
        times=fault.times,
        work_done=fault.work_done,
        status=fault.status,
        reason=fault.reason,
        latency_s=fault.latency_s,
    )
