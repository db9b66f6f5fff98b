"""What happens to the parts of one request, in the order in which a client is told."""

import asyncio
from collections.abc import AsyncGenerator, Sequence

from flow2api.domain.generation import Accepted, Failed, Finished, Generation, GenerationEvent
from flow2api.domain.usecases.job import Audience


async def watch_parts(
    queue: "asyncio.Queue[GenerationEvent]", audience: Audience, parts: Sequence[Generation]
) -> AsyncGenerator[GenerationEvent, None]:
    """The events of all parts of a request, every `Accepted` before anything else; raises when no part was accepted.

    Args:
        queue: What has joined the audience of the parts; it leaves it at the end, however that comes.
    """
    ended: set[str] = set()
    try:
        for event in await _beginning(queue, len(parts)):
            yield event
            if isinstance(event, Finished | Failed):
                ended.add(event.generation.id)
        while len(ended) < len(parts):
            event = await queue.get()
            yield event
            if isinstance(event, Finished | Failed):
                ended.add(event.generation.id)
    finally:
        for part in parts:
            audience.leave(part.id, queue)


async def _beginning(queue: "asyncio.Queue[GenerationEvent]", parts: int) -> Sequence[GenerationEvent]:
    """What has happened once every part was accepted or refused, in the order in which it is told."""
    accepted: dict[str, GenerationEvent] = {}
    held_back: list[GenerationEvent] = []
    refused: list[Failed] = []
    while len(accepted) + len(refused) < parts:
        event = await queue.get()
        if isinstance(event, Accepted):
            accepted[event.generation.id] = event
        elif isinstance(event, Failed) and event.generation.id not in accepted:
            refused.append(event)
        else:
            held_back.append(event)
    if not accepted:
        raise refused[0].error
    return [*accepted.values(), *refused, *held_back]
