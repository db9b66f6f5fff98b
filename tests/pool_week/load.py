"""Who asks for what, and when: busy days, quiet nights, bursts, several keys."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from random import Random

from flow2api.app.composition import Services
from flow2api.domain.api_key import Caller
from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.generation import Accepted, Failed, Finished, GenerationRequest
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret

HOUR_S = 3600.0
PICTURE = "gemini-3.0-pro-image-landscape"
OTHER_PICTURE = "gemini-3.1-flash-image-landscape"
LARGE_PICTURE = "gemini-3.0-pro-image-landscape-2k"
VIDEO = "veo_3_1_t2v_fast_landscape"
LARGE_VIDEO = "veo_3_1_t2v_landscape_1080p"
MODELS = {PICTURE: 52, OTHER_PICTURE: 18, LARGE_PICTURE: 10, VIDEO: 17, LARGE_VIDEO: 3}
"""Shares of the requests."""

PROFILE = (2, 1, 1, 1, 1, 2, 3, 5, 8, 10, 11, 11, 10, 10, 11, 11, 10, 9, 9, 10, 10, 8, 5, 3)
"""How busy the hours of a day are (UTC), beside each other."""

KEYS = {"main": 60, "second": 22, "studio": 12, "callers": 6}
"""Shares of the keys; those that are called like a tag are bound to it."""

REFUSED_WORDS = {"": 90, "unsafe": 5, "filtered": 2, "latefail": 3}
OF_CALLERS = {"": 10, "unsafe": 50, "filtered": 20, "latefail": 20}
BURST_EVERY_H = 7
BURST_S = 2.0
"""Each burst comes with one key, in turn; the keys that are bound to a few accounts have to wait for them then."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: when in seconds from the start, with which key, for what."""

    at_s: float
    key: str
    model: str
    prompt: str
    word: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request.

    Attributes:
        generation_id: None when it was refused before anything was begun.
        code: Of the error; empty when it finished.
        error: Its class, None when it finished.
    """

    asked: Asked
    ended_s: float
    generation_id: str | None
    code: str = ""
    error: type[Exception] | None = None


def plan(length_s: float, requests: int, random: Random, first_hour: int) -> Sequence[Asked]:
    """About so many requests over the whole time, with a burst every few hours."""
    hours = range(int(length_s / HOUR_S))
    shares = [PROFILE[(first_hour + hour) % 24] for hour in hours]
    bursts = hours[3::BURST_EVERY_H]
    burst = max(20, requests // 150)
    left = requests - burst * len(bursts)
    times: list[tuple[float, str]] = []
    for hour, share in zip(hours, shares, strict=True):
        count = round(left * share / sum(shares))
        times += [((hour + random.random()) * HOUR_S, _drawn(KEYS, random)) for _ in range(count)]
    for hour, key in zip(bursts, itertools.cycle(KEYS)):
        begin = (hour + random.random()) * HOUR_S
        times += [(begin + random.random() * BURST_S, key) for _ in range(burst)]
    numbers = itertools.count(1)
    return [_asked(at_s, key, next(numbers), random) for at_s, key in sorted(times)]


def _asked(at_s: float, key: str, number: int, random: Random) -> Asked:
    word = _drawn(OF_CALLERS if key == "callers" else REFUSED_WORDS, random)
    return Asked(at_s, key, _drawn(MODELS, random), f"A harbour in the morning, number {number} {word}".strip(), word)


def _drawn(shares: dict[str, int], random: Random) -> str:
    return random.choices(list(shares), list(shares.values()))[0]


class Callers:
    """Everybody who asks; what became of it is told at once."""

    def __init__(
        self, services: Services, keys: dict[str, Secret], clock: Clock, told: Callable[[Outcome], None]
    ) -> None:
        self._services = services
        self._keys = keys
        self._clock = clock
        self._told = told

    async def ask_all(self, plan: Sequence[Asked], wait_until: Callable[[float], Awaitable[None]]) -> None:
        """Ask for everything in its time, and wait for every end."""
        async with asyncio.TaskGroup() as group:
            for asked in plan:
                await wait_until(asked.at_s)
                group.create_task(self._ask(asked))

    async def _ask(self, asked: Asked) -> None:
        spec = self._services.catalog.spec(asked.model)
        assert spec is not None
        key = await self._services.authorize(self._keys[asked.key].reveal())
        request = GenerationRequest(model=asked.model, spec=spec, prompt=asked.prompt, seconds=spec.seconds)
        generation_id, error = None, None
        try:
            async with aclosing(await self._services.generate(request, Caller(key.id, key.tag))) as events:
                async for event in events:
                    match event:
                        case Accepted(generation=generation) | Finished(generation=generation):
                            generation_id = generation.id
                        case Failed(generation=generation, error=fault):
                            generation_id, error = generation.id, fault
                        case _:
                            continue
        except Flow2ApiError as refusal:
            error = refusal
        code = "" if error is None else getattr(error, "code", type(error).__name__)
        self._told(Outcome(asked, self._clock.monotonic(), generation_id, code, None if error is None else type(error)))
