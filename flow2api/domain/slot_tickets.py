"""Slots of the port, taken and given back without loss whatever is cancelled meanwhile."""

import asyncio
import logging

from flow2api.domain.account import Account
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.coordination import CountsInMemory, Slots
from flow2api.domain.uncut import uncut

log = logging.getLogger(__name__)


class SlotTickets:
    """Backs slots that were counted in memory by those that all processes share."""

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._memory = slots if isinstance(slots, CountsInMemory) else None
        self._returning: set[asyncio.Task[None]] = set()

    async def take(self, account: Account, kind: MediaKind, limit: int) -> str | None:
        """A ticket, or None when other processes hold every slot; one that comes too late for a cancelled caller goes back."""
        if self._memory is not None:
            return self._memory.take_now(account.id, kind, limit)
        taking = asyncio.ensure_future(self._slots.take(account.id, kind, limit))
        try:
            return await asyncio.shield(taking)
        except BaseException:
            taking.add_done_callback(self._return_unwanted)
            raise

    async def give_back(self, ticket: str) -> None:
        """Give it back, even when the caller is cancelled."""
        if self._memory is not None:
            self._memory.give_back_now(ticket)
            return
        await uncut(self._return(ticket))

    def _return_unwanted(self, taking: "asyncio.Future[str | None]") -> None:
        """Give back what was taken for somebody who had gone meanwhile."""
        if not taking.cancelled() and taking.exception() is None and (ticket := taking.result()) is not None:
            self._returning.add(task := asyncio.ensure_future(self._return(ticket)))
            task.add_done_callback(self._returning.discard)

    async def _return(self, ticket: str) -> None:
        try:
            await self._slots.give_back(ticket)
        except Exception:
            log.exception("slot not given back; it ends with its time limit")
