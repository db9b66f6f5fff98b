"""What the commands of webhooks work with."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from flow2api.adapters.system import SystemClock
from flow2api.cli.context import Installation, opened_storage
from flow2api.cli.failures import Failure
from flow2api.domain.ports.storage import Storage
from flow2api.domain.usecases.manage_webhooks import ManageWebhooks
from flow2api.settings import parse_options

T = TypeVar("T")


async def managed(here: Installation, use: Callable[[ManageWebhooks], Awaitable[T]]) -> T:
    """What comes of using them, with the storage opened."""
    async with opened_storage(here) as (storage, _):
        return await use(await manager_of(here, storage))


async def manager_of(here: Installation, storage: Storage) -> ManageWebhooks:
    """What manages them over a storage that is open."""
    options = parse_options({**await storage.options.read(), **here.settings.options})
    from flow2api.app.telling import build_webhooks  # noqa: PLC0415 - libcurl is for those who call somebody

    return build_webhooks(storage, lambda: options, SystemClock())


async def key_id_of(storage: Storage, which: str | None) -> int | None:
    """The active key with this id or name.

    Raises:
        Failure: There is none.
    """
    if which is None:
        return None
    for key in await storage.api_keys.all():
        if key.is_active and which in (key.name, str(key.id)):
            return key.id
    raise Failure(f"There is no active key {which[:64]!r}; `flow2api keys list` shows them.")
