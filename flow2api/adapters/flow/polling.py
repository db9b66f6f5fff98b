"""Asks for many operations in one call, and for each alone where the service does not take many."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from flow2api.adapters.flow.caller import Caller
from flow2api.adapters.flow.eras import ERAS, POLL_PATH, Era
from flow2api.adapters.flow.joining import Joining, of_clips
from flow2api.adapters.flow.lineage import Clip
from flow2api.adapters.flow.payloads import Post
from flow2api.adapters.flow.responses import STANDINGS, STATUS_PREFIX, PolledItem
from flow2api.domain.errors import UpstreamDriftError, UpstreamInvalidError, UpstreamRejectedError
from flow2api.domain.generation import Operation, OperationStatus
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access

ALONE_AT_ONCE = 4
ALONE_FOR_S = 600.0


class Handle(msgspec.Struct, omit_defaults=True):
    """What an operation's payload holds.

    Attributes:
        era: In whose words to ask, whatever era is set by now.
        item: What to ask with.
        clips: What the result is to be joined of; it is the last of them, and mostly the only one.
    """

    era: str
    item: msgspec.Raw
    clips: tuple[Clip, ...] = ()

    def text(self) -> str:
        """The payload."""
        return msgspec.json.encode(self).decode()


_read_handle = msgspec.json.Decoder(Handle).decode

Statuses = dict[str, OperationStatus]


class Polling:
    """The status of operations, by name.

    Args:
        batch_size: Most operations in one call; whether the service limits it is not known.
    """

    def __init__(self, caller: Caller, clock: Clock, *, batch_size: int) -> None:
        self._caller = caller
        self._clock = clock
        self._batch_size = batch_size
        self._alone_until = 0.0
        self._joining = Joining(caller, clock)

    async def poll(self, access: Access, operations: Sequence[Operation]) -> Statuses:
        """How these operations stand; one that the service says nothing about is missing."""
        statuses: Statuses = {}
        by_era: dict[str, list[tuple[Operation, Handle]]] = defaultdict(list)
        for operation in operations:
            handle = read_handle(operation)
            by_era[handle.era].append((operation, handle))
        for name, entries in by_era.items():
            size = 1 if self._clock.monotonic() < self._alone_until else self._batch_size
            if size == 1:
                statuses |= await self._each_alone(access, ERAS[name], entries)
                continue
            for start in range(0, len(entries), size):
                statuses |= await self._together(access, ERAS[name], entries[start : start + size])
        return statuses

    async def _together(self, access: Access, era: Era, entries: Sequence[tuple[Operation, Handle]]) -> Statuses:
        if len(entries) == 1:
            return await self._alone(access, era, *entries[0])
        try:
            return await self._ask(access, era, entries)
        except UpstreamRejectedError:
            statuses = await self._each_alone(access, era, entries)
        if len(statuses) == len(entries) and all(status.error is None for status in statuses.values()):
            self._alone_until = self._clock.monotonic() + ALONE_FOR_S  # none of them was to blame: it was their number
        return statuses

    async def _each_alone(self, access: Access, era: Era, entries: Sequence[tuple[Operation, Handle]]) -> Statuses:
        statuses: Statuses = {}
        for start in range(0, len(entries), ALONE_AT_ONCE):
            try:
                async with asyncio.TaskGroup() as group:
                    some = entries[start : start + ALONE_AT_ONCE]
                    tasks = [group.create_task(self._alone(access, era, *entry)) for entry in some]
            except BaseExceptionGroup as failures:
                raise failures.exceptions[0] from None
            for task in tasks:
                statuses |= task.result()
        return statuses

    async def _alone(self, access: Access, era: Era, operation: Operation, handle: Handle) -> Statuses:
        try:
            return await self._ask(access, era, [(operation, handle)])
        except UpstreamDriftError:
            raise
        except UpstreamRejectedError as error:
            return {operation.name: OperationStatus(error=error)}

    async def _ask(self, access: Access, era: Era, entries: Sequence[tuple[Operation, Handle]]) -> Statuses:
        post = Post(POLL_PATH, era.poll([bytes(handle.item) for _, handle in entries]))
        body = await self._caller.post(access, post, timeout_s=self._caller.limits.poll_s)
        items = {item.name: item for item in self._caller.read(POLL_PATH, lambda text: list(era.polled(text)), body)}
        statuses: Statuses = {}
        for operation, handle in entries:
            item = items.get(operation.name)
            if item is not None:
                statuses[operation.name] = await self._standing(access, handle, item)
        return statuses

    async def _standing(self, access: Access, handle: Handle, item: PolledItem) -> OperationStatus:
        if item.status.removeprefix(STATUS_PREFIX) not in STANDINGS:
            self._caller.drift.unknown_status(item.status)
        status = item.outcome()
        if status.product is None or not handle.clips:
            return status
        if len(handle.clips) > 1:
            return await self._joining.follow(access, handle.clips, status.product)
        return OperationStatus(product=of_clips(status.product, handle.clips))


def read_handle(operation: Operation) -> Handle:
    """What an operation's payload holds.

    Raises:
        UpstreamInvalidError: It was not made by this adapter.
    """
    try:
        handle = _read_handle(operation.payload)
    except msgspec.DecodeError as error:
        raise UpstreamInvalidError(f"The record of the operation {operation.name[:64]!r} cannot be read.") from error
    if handle.era not in ERAS:
        raise UpstreamInvalidError(f"The operation {operation.name[:64]!r} is of an era that is not known.")
    return handle
