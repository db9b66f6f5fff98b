"""``/api/admin/accounts``: the accounts of the pool."""

import asyncio
from typing import Annotated

import msgspec
from litestar import delete, get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, JSONBody, QueryParameter

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import actor_of
from flow2api.adapters.admin_api.resources.account_bodies import AccountBody, AccountsBody, NewAccountBody, change_of
from flow2api.adapters.admin_api.resources.queries import PREFIX, Cursor, HttpRequest, Limit, Word, number_in
from flow2api.adapters.admin_api.schemas import Id
from flow2api.documents.accounts import (
    AccountView,
    WholeAccount,
    account_view,
    whole_account,
)
from flow2api.domain.account import AccountStatus, Capacity
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.ports.account_directory import LONGEST_SEARCH, AccountFilter
from flow2api.domain.usecases.change_account import AccountChange
from flow2api.domain.usecases.manage_accounts import NewAccount
from flow2api.domain.usecases.read_credential import GivenCredential

ONE = f"{PREFIX}/accounts/{{account_id:int}}"


class Accounts(msgspec.Struct, frozen=True, kw_only=True):
    """A page of accounts, in the order of their ids.

    Attributes:
        total: How many pass the filters, on all pages.
    """

    items: tuple[AccountView, ...]
    next_cursor: str | None
    total: int


class ChangedAccounts(msgspec.Struct, frozen=True, kw_only=True):
    """The accounts that are now as was asked for."""

    account_ids: tuple[int, ...]


def account_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers."""
    return [*_routes_of_many(doors), *_routes_of_one(doors)]


def _routes_of_many(doors: AdminDoors) -> list[HTTPRouteHandler]:

    @get(f"{PREFIX}/accounts", tags=["accounts"])
    async def list_accounts(
        limit: Limit = 100,
        cursor: Cursor = None,
        q: Annotated[str | None, QueryParameter(max_length=LONGEST_SEARCH)] = None,
        status: FromQuery[AccountStatus | None] = None,
        tag: Word = None,
    ) -> Accounts:
        """The accounts; ``q`` is looked for in address, name and remark."""
        wanted, after = AccountFilter(text=q or None, status=status, tag=tag), number_in(cursor) or 0
        counts, found = await asyncio.gather(
            doors.accounts.count(wanted),
            doors.accounts.page(wanted, after=after, limit=limit + 1),
        )
        now = doors.clock.now()
        return Accounts(
            items=tuple(account_view(account, now) for account in found[:limit]),
            next_cursor=str(found[limit - 1].id) if len(found) > limit else None,
            total=sum(counts.values()),
        )

    @post(f"{PREFIX}/accounts", tags=["accounts"])
    async def add_account(request: HttpRequest, data: JSONBody[NewAccountBody]) -> WholeAccount:
        """Add an account; the service is asked whose it is at once.

        An account of ``flow`` has a ``session_token``; what another upstream wants is an ``api_key``, or an ``api_key`` and
        a ``base_url``.
        """
        if data.upstream not in doors.upstreams:
            names = ", ".join(sorted(doors.upstreams))
            raise UnsupportedInputError(f"There is no such upstream; there is {names}.", param="upstream")
        given = GivenCredential(data.session_token, data.api_key, data.base_url)
        secret, base_url = given.read(data.upstream, doors.kinds)
        new = NewAccount(
            session_token=secret,
            upstream=data.upstream,
            base_url=base_url,
            name=data.name.strip(),
            email=data.email,
            remark=data.remark,
            capacity=Capacity(data.image_slots, data.video_slots),
            is_enabled=data.is_enabled,
            tags=frozenset(data.tags),
        )
        added = await doors.take_in(new, actor_of(doors, request.scope), workspace=data.workspace or None)
        return whole_account(added, doors.clock.now())

    @patch(f"{PREFIX}/accounts", tags=["accounts"])
    async def change_accounts(request: HttpRequest, data: JSONBody[AccountsBody]) -> ChangedAccounts:
        """Change many accounts in the same way: those of these ids, those with a tag, or all."""
        wanted, change = data.wanted(), change_of(data.change)
        await _check_proxy(doors, change)
        changed = await doors.accounts.change_each(wanted, change, actor_of(doors, request.scope))
        return ChangedAccounts(account_ids=tuple(changed))

    return [list_accounts, add_account, change_accounts]


def _routes_of_one(doors: AdminDoors) -> list[HTTPRouteHandler]:
    @get(ONE, tags=["accounts"])
    async def show_account(account_id: Id) -> WholeAccount:
        """One account, and why it rests if it does."""
        return whole_account(await doors.accounts.get(account_id), doors.clock.now())

    @patch(ONE, tags=["accounts"])
    async def change_account(request: HttpRequest, account_id: Id, data: JSONBody[AccountBody]) -> WholeAccount:
        """Change an account. A new session token or key is shown to the service before it takes the place of the former one.

        An account that is to be served at another ``base_url`` needs its ``api_key`` with it: the key is proved there, and
        one that is kept is never sent to a host that was just named.
        """
        account = await doors.accounts.get(account_id)
        secret, base_url = data.given.read_for(account, doors.kinds)
        change = change_of(data, session_token=secret, base_url=base_url)
        await _check_proxy(doors, change)
        changed = await doors.accounts.change(account_id, change, actor_of(doors, request.scope))
        return whole_account(changed, doors.clock.now())

    @delete(ONE, tags=["accounts"])
    async def remove_account(request: HttpRequest, account_id: Id) -> None:
        """Delete an account; what it made stays. For 24 hours it can be brought back, then its secrets are wiped."""
        await doors.accounts.remove(account_id, actor_of(doors, request.scope))

    return [show_account, change_account, remove_account]


async def _check_proxy(doors: AdminDoors, change: AccountChange) -> None:
    if change.proxy is not None:
        await doors.proxies.meant_by(change.proxy)
