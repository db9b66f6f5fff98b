"""What the commands about records need: the use cases over the opened storage, and names for ids."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flow2api.adapters.system import SystemClock
from flow2api.cli.context import Installation, opened_storage
from flow2api.domain.errors import ConflictError
from flow2api.domain.ports.storage import Storage
from flow2api.domain.usecases.manage_accounts import ManageAccounts
from flow2api.settings import parse_options

if TYPE_CHECKING:
    from flow2api.app.recording import Recording


@dataclass(frozen=True, slots=True)
class Records:
    """The records of this installation."""

    recording: "Recording"
    storage: Storage
    clock: SystemClock

    async def account_id(self, which: str | None) -> int | None:
        """The account with this id, e-mail address or name; an id may be that of one that is gone.

        Raises:
            ConflictError: There is none, or more than one.
        """
        if which is None or which.isdecimal():
            return None if which is None else int(which)
        return (await ManageAccounts(self.storage.accounts, self.storage.vault, self.clock).find(which)).id

    async def key_id(self, which: str | None) -> int | None:
        """The key with this id or name, the active one before those that were revoked.

        Raises:
            ConflictError: There is none.
        """
        if which is None or which.isdecimal():
            return None if which is None else int(which)
        found = [key for key in await self.storage.api_keys.all() if key.name == which]
        if not found:
            raise ConflictError(f"There is no key {which[:64]!r}; `flow2api keys list` shows them.")
        return max(found, key=lambda key: (key.is_active, key.id)).id

    async def account_names(self) -> Mapping[int, str]:
        """What accounts are called, by id."""
        named = {}
        async for batch in self.storage.accounts.load():
            named.update({account.id: account.email or account.name for account in batch})
        return named

    async def key_names(self) -> Mapping[int, str]:
        """What keys are called, by id."""
        return {key.id: key.name for key in await self.storage.api_keys.all()}


@asynccontextmanager
async def opened_records(here: Installation) -> AsyncIterator[Records]:
    """The records, under the options as they are stored."""
    from flow2api.app.recording import build_recording  # noqa: PLC0415 - it brings the whole of the API with it

    async with opened_storage(here) as (storage, _):
        options = parse_options({**await storage.options.read(), **here.settings.options})
        clock = SystemClock()
        yield Records(build_recording(here.settings, storage, storage.journal, lambda: options, clock), storage, clock)
