"""Tells how much longer what is under way may take, by what the same model took before."""

import logging
from collections import deque
from collections.abc import Mapping, Sequence

from flow2api.domain.errors import StorageError
from flow2api.domain.generation import Generation, State
from flow2api.domain.ports.storage import GenerationFilter
from flow2api.domain.ports.system import Clock
from flow2api.domain.remaining_time import LEAST, Remaining, remaining, work_begins_ms, work_took_s
from flow2api.domain.statistics import Counts, Dimension
from flow2api.domain.usecases.look_up_generations import LookUpGenerations
from flow2api.domain.usecases.read_spans import ReadSpans, Span

log = logging.getLogger(__name__)

REMEMBERED = 64
NEWEST = 200
LEARN_AGAIN_S = 600.0
_ASK_AGAIN_S = 30.0
_MOST_SAMPLES = 20


class ForeseeEnds:
    """Remembers how long the last ones of each model took.

    What ends here is noted as it ends. What ended before, or in another process, is read now and then while somebody looks:
    the newest generations, and for models that none of them was made with, the figures of the last seven days. These have
    classes of durations and count the time in line, so what is told by them is told more roughly.
    """

    def __init__(self, generations: LookUpGenerations, spans: ReadSpans, clock: Clock) -> None:
        self._generations = generations
        self._spans = spans
        self._clock = clock
        self._took: dict[str, deque[float]] = {}
        self._counted: Mapping[str | int, Counts] = {}
        self._learn_at = 0.0

    def ended(self, generation: Generation) -> None:
        """Note one that has ended; it is quick."""
        took_s = work_took_s(generation)
        if took_s is not None:
            self._of(generation.spec_name).append(took_s)

    async def learn(self) -> None:
        """Read what ended before, if that was not done lately; when the database does not tell, what is known stays."""
        now = self._clock.monotonic()
        if now < self._learn_at:
            return
        self._learn_at = now + _ASK_AGAIN_S
        try:
            page = await self._generations.page(GenerationFilter(state=State.COMPLETED), limit=NEWEST)
            self._counted = await self._spans.apart(Span.WEEK, Dimension.MODEL)
        except StorageError:
            log.warning("how long generations take was not read", exc_info=True)
            return
        self._learn_at = now + LEARN_AGAIN_S
        read: dict[str, list[float]] = {}
        for one in reversed(page.items):
            took_s = work_took_s(one)
            if took_s is not None:
                read.setdefault(one.spec_name, []).append(took_s)
        for name, seconds in read.items():
            if len(seconds) >= len(self._of(name)):
                self._took[name] = deque(seconds, maxlen=REMEMBERED)

    def left(self, generation: Generation) -> Remaining | None:
        """How much longer it may take; None where that cannot be told, while it waits for an account among others."""
        begins_ms = work_begins_ms(generation)
        if generation.state is not State.RUNNING or begins_ms is None:
            return None
        age_s = generation.age_ms(self._clock.now()) / 1000
        took = self._took.get(generation.spec_name, ())
        if len(took) >= LEAST:
            return remaining(sorted(took), age_s - begins_ms / 1000)
        return remaining(_samples(self._counted.get(generation.spec_name, Counts())), age_s)

    def _of(self, spec_name: str) -> deque[float]:
        took = self._took.get(spec_name)
        if took is None:
            took = self._took[spec_name] = deque(maxlen=REMEMBERED)
        return took


def _samples(counts: Counts) -> Sequence[float]:
    """Durations that are spread as those that were counted, in ascending order."""
    number = min(sum(counts.took), _MOST_SAMPLES)
    found = (counts.percentile_s((place + 0.5) / number) for place in range(number))
    return [seconds for seconds in found if seconds is not None]
