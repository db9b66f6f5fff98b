"""``/api/tokens``: accounts are listed, added, changed and removed."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import MediaType, Request, Response, delete, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import JSONBody, QueryParameter
from litestar.response import Stream

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.guards import actor_of, require_fresh, signed_in
from flow2api.adapters.admin_api.schemas import LARGEST_ID, Body, Done, Id
from flow2api.adapters.admin_api.token_views import MASK, NO_LIMIT, UPSTREAM, Slots, TokenView, limits_of, token_view
from flow2api.domain.account import Account, AccountStatus, Capacity
from flow2api.domain.errors import NotAllowedError, UnsupportedInputError
from flow2api.domain.operator import Role
from flow2api.domain.ports.account_directory import LONGEST_SEARCH, AccountFilter
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_accounts import NewAccount
from flow2api.domain.usecases.operate_accounts import AccountEdit
from flow2api.domain.usecases.read_credential import SESSION_TOKEN, GivenCredential

HttpRequest = Request[Any, Any, Any]

LONGEST_PAGE = 1000
_STREAMED = 500

_encode = msgspec.json.Encoder().encode


class NewTokenBody(Body, frozen=True):
    """An account. The service is asked for it before it is stored.

    Attributes:
        st: The session token, which accounts of ``flow`` have.
        upstream: The service that it is of; what another one than ``flow`` wants is an ``api_key``, or an ``api_key`` and a
            ``base_url``.
    """

    st: str | None = None
    upstream: str = UPSTREAM
    api_key: str | None = None
    base_url: str | None = None
    name: str = ""
    project_id: str | None = None
    project_name: str | None = None
    remark: str | None = None
    image_enabled: bool = True
    video_enabled: bool = True
    image_concurrency: Slots = NO_LIMIT
    video_concurrency: Slots = NO_LIMIT


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """What the service told of a new account."""

    id: int
    email: str
    credits: int
    project_id: str | None
    project_name: str | None


class NewTokenAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A new account."""

    token: NewToken
    message: str
    success: bool = True


class TokenBody(Body, frozen=True):
    """What is to change; what is left out stays. A masked session token or API key stays, too.

    Attributes:
        base_url: Where the account is served from now on. The key comes with it, for it is sent there.
    """

    api_key: str | None = None
    base_url: str | None = None
    st: str | None = None
    project_id: str | None = None
    project_name: str | None = None
    remark: str | None = None
    image_enabled: bool | None = None
    video_enabled: bool | None = None
    image_concurrency: Slots | None = None
    video_concurrency: Slots | None = None


@dataclass(frozen=True, slots=True)
class _Listing:
    """What a list is asked for.

    Attributes:
        revealed: Whether secrets are shown.
    """

    wanted: AccountFilter
    revealed: bool


def token_list_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handler that shows accounts."""

    @get("/api/tokens", media_type=MediaType.JSON, tags=["accounts"])
    async def list_tokens(
        request: HttpRequest,
        limit: Annotated[int | None, QueryParameter(ge=1, le=LONGEST_PAGE)] = None,
        cursor: Annotated[int, QueryParameter(ge=0, le=LARGEST_ID)] = 0,
        q: Annotated[str | None, QueryParameter(max_length=LONGEST_SEARCH)] = None,
        standing: Annotated[str | None, QueryParameter(name="state", max_length=64)] = None,
        reveal: Annotated[bool, QueryParameter()] = False,
    ) -> Response[list[TokenView]]:
        """The accounts, in the order of their ids.

        With ``limit`` there are no more than that, and the header ``x-next-cursor`` says where the next page begins,
        for ``cursor``; it is missing on the last one. ``x-total-count`` says how many pass the filters. Secrets are
        masked; ``reveal=true`` shows them to an owner who has signed in within the last 15 minutes, and writes it into the
        audit log.
        """
        listing = _Listing(AccountFilter(text=q or None, status=_status(standing)), reveal)
        if reveal:
            if not signed_in(request.scope).operator.role.includes(Role.OWNER):
                raise NotAllowedError("Only an owner sees session tokens and API keys.")
            require_fresh(doors, signed_in(request.scope))
            await doors.accounts.note_reveal(listing.wanted, actor_of(doors, request.scope))
        if limit is None:
            headers = {"x-total-count": str(sum((await doors.accounts.count(listing.wanted)).values()))}
            return Stream(_streamed(doors, listing), media_type=MediaType.JSON, headers=headers)  # type: ignore[return-value]
        found = await doors.accounts.look(listing.wanted, after=cursor, limit=limit + 1)
        headers, accounts = {"x-total-count": str(sum(found.counts.values()))}, found.accounts
        if len(accounts) > limit:
            headers["x-next-cursor"] = str(accounts[limit - 1].id)
        return Response(await _shown(doors, listing, accounts[:limit]), headers=headers)

    return [list_tokens]


def token_change_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers that add, change and remove accounts."""

    @post("/api/tokens", status_code=200, tags=["accounts"])
    async def add_token(request: HttpRequest, data: JSONBody[NewTokenBody]) -> NewTokenAnswer:
        """Add an account; the service is asked whose it is at once."""
        account = await doors.take_in(
            _new_account(doors, data),
            actor_of(doors, request.scope),
            workspace=data.project_id or None,
            workspace_name=data.project_name or None,
        )
        return NewTokenAnswer(token=_told(account), message="The account was added.")

    @put("/api/tokens/{token_id:int}", tags=["accounts"])
    async def change_token(request: HttpRequest, token_id: Id, data: JSONBody[TokenBody]) -> Done:
        """Change an account. A rate limit is forgotten while its access token is good."""
        account = await doors.accounts.get(token_id)
        secret, base_url = _new_secret(doors, account, data)
        edit = AccountEdit(
            remark=data.remark,
            limits=limits_of(
                account.capacity,
                image_enabled=data.image_enabled,
                video_enabled=data.video_enabled,
                image_concurrency=data.image_concurrency,
                video_concurrency=data.video_concurrency,
            ),
            workspace=data.project_id,
            workspace_name=data.project_name,
            session_token=secret,
            base_url=base_url,
        )
        await doors.accounts.edit(token_id, edit, actor_of(doors, request.scope))
        return Done(message="The account was changed.")

    @delete("/api/tokens/{token_id:int}", status_code=200, tags=["accounts"])
    async def remove_token(request: HttpRequest, token_id: Id) -> Done:
        """Forget an account and its secrets; what it made stays."""
        await doors.accounts.remove(token_id, actor_of(doors, request.scope))
        return Done(message="The account was removed.")

    return [add_token, change_token, remove_token]


def _new_account(doors: AdminDoors, data: NewTokenBody) -> NewAccount:
    limits = limits_of(
        Capacity(),
        image_enabled=data.image_enabled,
        video_enabled=data.video_enabled,
        image_concurrency=data.image_concurrency,
        video_concurrency=data.video_concurrency,
    )
    if data.upstream not in doors.upstreams:
        raise UnsupportedInputError(f"The upstream is none of {', '.join(sorted(doors.upstreams))}.", param="upstream")
    given = GivenCredential(data.st, data.api_key, data.base_url)
    secret, base_url = given.read(data.upstream, doors.kinds, {SESSION_TOKEN: "st"})
    return NewAccount(
        session_token=secret,
        upstream=data.upstream,
        base_url=base_url,
        name=data.name.strip(),
        remark=data.remark or "",
        capacity=Capacity(*limits.values()),
    )


def _told(account: Account) -> NewToken:
    return NewToken(
        id=account.id,
        email=account.email or "",
        credits=account.credits or 0,
        project_id=account.workspace,
        project_name=account.workspace_name,
    )


def _new_secret(doors: AdminDoors, account: Account, data: TokenBody) -> tuple[Secret | None, str | None]:
    """The secret and the base URL that take the place of the former ones, as far as they do."""
    given = GivenCredential(*(None if text in ("", MASK) else text for text in (data.st, data.api_key, data.base_url)))
    return given.read_for(account, doors.kinds, {SESSION_TOKEN: "st"})


def _status(named: str | None) -> AccountStatus | None:
    if not named:
        return None
    try:
        return AccountStatus(named)
    except ValueError:
        raise UnsupportedInputError(
            f"Accounts are {', '.join(AccountStatus)}; there is no other state.", param="state"
        ) from None


async def _shown(doors: AdminDoors, listing: _Listing, accounts: Sequence[Account]) -> list[TokenView]:
    secrets = await doors.accounts.secrets_of(accounts) if listing.revealed else None
    use = await doors.accounts.use_of(accounts)
    now = doors.clock.now()
    return [
        token_view(
            account,
            now,
            used=use.counts,
            last_used=use.last_used_at,
            secrets=secrets,
            kind=doors.kinds.of(account.upstream),
        )
        for account in accounts
    ]


async def _streamed(doors: AdminDoors, listing: _Listing) -> AsyncIterator[bytes]:
    """All of them as one JSON array, a page at a time, so that no number of accounts fills the memory."""
    after, mark = 0, b"["
    while accounts := await doors.accounts.page(listing.wanted, after=after, limit=_STREAMED):
        yield mark + _encode(await _shown(doors, listing, accounts))[1:-1]
        after, mark = accounts[-1].id, b","
    yield b"[]" if mark == b"[" else b"]"
