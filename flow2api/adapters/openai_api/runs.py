"""Following what was begun to its end."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass

from flow2api.adapters.openai_api.allowances import allowance_headers
from flow2api.adapters.openai_api.body import HttpRequest
from flow2api.adapters.openai_api.cors import HeaderList
from flow2api.adapters.openai_api.doors import Doors
from flow2api.adapters.openai_api.headers import header
from flow2api.adapters.openai_api.notices import unique, warning_headers
from flow2api.adapters.openai_api.planning import check_plan
from flow2api.domain.api_key import Caller
from flow2api.domain.gateway_hops import HOPS, hops_with
from flow2api.domain.generation import Accepted, Failed, Finished, GenerationEvent, GenerationRequest
from flow2api.domain.usecases.limit_requests import Allowance
from flow2api.domain.usecases.recall_requests import Idempotency

_VIA = b"x-flow2api-via"
"""The header that names the gateways which a request has come through."""


@dataclass(frozen=True, slots=True)
class Run:
    """A request that was accepted, before anything else has happened.

    Attributes:
        rest: Every event after the first; closing it does not stop the work.
        allowance: What its key may still begin, where there is a limit.
    """

    accepted: Accepted
    rest: AsyncGenerator[GenerationEvent, None]
    allowance: Allowance | None = None

    def headers(self, warnings: Iterable[str] | None = None) -> HeaderList:
        """What the answer's headers tell of the run.

        Args:
            warnings: What the caller is to know; None for what is known at the beginning.
        """
        known = self.accepted.generation.warnings if warnings is None else warnings
        replayed: HeaderList = [(b"idempotency-replayed", b"true")] if self.accepted.replayed else []
        return [*warning_headers(known), *replayed, *allowance_headers(self.allowance)]

    async def events(self) -> AsyncGenerator[GenerationEvent, None]:
        """All events from the first on."""
        async with aclosing(self.rest) as rest:
            yield self.accepted
            async for event in rest:
                yield event


@dataclass(frozen=True, slots=True)
class Outcome:
    """How every part of a request ended, in the order in which the parts were accepted."""

    finished: tuple[Finished, ...]
    failed: tuple[Failed, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the caller is to know, lost parts included."""
        ends: list[Finished | Failed] = [*self.finished, *self.failed]
        generations = [end.generation for end in ends]
        lost = [f"1 of {len(generations)} results is missing: {end.error}" for end in self.failed]
        return unique(*(generation.warnings for generation in generations), lost)


async def begin(
    doors: Doors, request: HttpRequest, plan: GenerationRequest, caller: Caller, idempotency: Idempotency
) -> Run:
    """Start; what is refused is refused here, while an honest status can still be given.

    Raises:
        GatewayLoopError: The request has been here before.
        ModelNotAllowedError: What would serve is not for this key.
    """
    plan = check_plan(doors, plan, caller)
    # Never taken back: each request is a task, with a context of its own, which its work goes on in.
    HOPS.set(hops_with(doors.gateway_name(), header(request.scope, _VIA)))
    events = await doors.generate(plan, caller, idempotency=idempotency)
    first = await anext(events)
    if not isinstance(first, Accepted):
        raise TypeError(f"the first event of a generation was {type(first).__name__}")
    return Run(first, events, doors.allowance(caller))


async def collect(run: Run) -> Outcome:
    """Wait for the end of every part.

    Raises:
        Exception: No part succeeded; the first one's error.
    """
    order = {run.accepted.generation.id: 0}
    finished: list[Finished] = []
    failed: list[Failed] = []
    async with aclosing(run.rest) as rest:
        async for event in rest:
            match event:
                case Accepted(generation):
                    order[generation.id] = len(order)
                case Finished():
                    finished.append(event)
                case Failed():
                    failed.append(event)
                case _:
                    pass
    finished.sort(key=lambda end: order.get(end.generation.id, 0))
    failed.sort(key=lambda end: order.get(end.generation.id, 0))
    if not finished:
        raise failed[0].error if failed else RuntimeError("a generation ended without an end")
    return Outcome(tuple(finished), tuple(failed))
