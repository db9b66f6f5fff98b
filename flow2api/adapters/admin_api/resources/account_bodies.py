"""What is sent to accounts, and the change that it asks for."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from flow2api.adapters.admin_api.schemas import LARGEST_ID, Body
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.account_directory import AccountFilter
from flow2api.domain.proxy import GLOBAL
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.change_account import AccountChange
from flow2api.domain.usecases.manage_accounts import MOST_SLOTS
from flow2api.domain.usecases.read_credential import GivenCredential

MOST_TAGS = 100
MOST_AT_ONCE = 1000

Slots = Annotated[int, msgspec.Meta(ge=0, le=MOST_SLOTS)] | None
Tags = Annotated[tuple[str, ...], msgspec.Meta(max_length=MOST_TAGS)]
AccountIds = Annotated[
    tuple[Annotated[int, msgspec.Meta(ge=1, le=LARGEST_ID)], ...], msgspec.Meta(min_length=1, max_length=MOST_AT_ONCE)
]


class NewAccountBody(Body, frozen=True):
    """An account. The service is asked whose it is before it is stored.

    Attributes:
        session_token: What accounts of ``flow`` sign in with.
        api_key: What accounts of upstreams with keys sign in with.
        base_url: Where the account is served, for upstreams whose accounts each say so.
    """

    session_token: str | None = None
    upstream: str = "flow"
    api_key: str | None = None
    base_url: str | None = None
    name: str = ""
    email: str | None = None
    remark: str = ""
    tags: Tags = ()
    image_slots: Slots = None
    video_slots: Slots = None
    workspace: str | None = None
    is_enabled: bool = True


class SharedChange(Body, frozen=True):
    """What may be changed of many accounts at once; what is left out stays."""

    image_slots: Slots | UnsetType = UNSET
    video_slots: Slots | UnsetType = UNSET
    weight: int | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    proxy: str | UnsetType | None = UNSET
    tags: Tags | UnsetType = UNSET
    add_tags: Tags = ()
    remove_tags: Tags = ()


class AccountBody(SharedChange, frozen=True):
    """What is to change; what is left out stays. A slot of null is no limit, a proxy of null what the option says.

    Attributes:
        api_key: Takes the place of the former key, once the host has taken it.
        base_url: Where the account is served from now on. The key comes with it, for it is sent there.
    """

    name: str | UnsetType = UNSET
    email: str | UnsetType = UNSET
    remark: str | UnsetType = UNSET
    workspace: str | UnsetType | None = UNSET
    session_token: str | UnsetType = UNSET
    api_key: str | UnsetType = UNSET
    base_url: str | UnsetType = UNSET

    @property
    def given(self) -> GivenCredential:
        """What the account is to sign in with from now on."""
        return GivenCredential(_or_none(self.session_token), _or_none(self.api_key), _or_none(self.base_url))


class AccountsBody(Body, frozen=True):
    """Which accounts: by their ids, by a tag, or all of them; and what is to change."""

    change: SharedChange
    account_ids: AccountIds | None = None
    tag: str | None = None
    all: bool = False

    def wanted(self) -> AccountFilter | tuple[int, ...]:
        """The accounts that are meant.

        Raises:
            UnsupportedInputError: None is named, or in more than one way.
        """
        if sum((self.account_ids is not None, self.tag is not None, self.all)) != 1:
            raise UnsupportedInputError("Say either account_ids, or tag, or all.", param="account_ids")
        return AccountFilter(tag=self.tag) if self.account_ids is None else self.account_ids


def change_of(body: SharedChange, *, session_token: Secret | None = None, base_url: str | None = None) -> AccountChange:
    """The change that a body asks for.

    Args:
        session_token: What it gives an account to sign in with, as it was read for that account.
        base_url: Where it wants that account served, read likewise.

    Raises:
        UnsupportedInputError: It asks for nothing.
    """
    slots = ((MediaKind.IMAGE, body.image_slots), (MediaKind.VIDEO, body.video_slots))
    tags, proxy = _or_none(body.tags), body.proxy
    own = _own_of(body) if isinstance(body, AccountBody) else {}
    change = AccountChange(
        limits={kind: limit for kind, limit in slots if not isinstance(limit, UnsetType)},
        weight=_or_none(body.weight),
        priority=_or_none(body.priority),
        tags=None if tags is None else frozenset(tags),
        added_tags=frozenset(body.add_tags),
        removed_tags=frozenset(body.remove_tags),
        proxy=None if isinstance(proxy, UnsetType) else proxy or GLOBAL,
        session_token=session_token,
        base_url=base_url,
        **own,
    )
    if change == AccountChange():
        raise UnsupportedInputError("Say what is to be changed.")
    return change


def _own_of(body: AccountBody) -> dict[str, Any]:
    """What only a single account can be given."""
    workspace = body.workspace
    return {
        "name": _stripped(body.name),
        "email": _or_none(body.email),
        "remark": _or_none(body.remark),
        "workspace": None if isinstance(workspace, UnsetType) else workspace or "",
    }


def _stripped(text: str | UnsetType) -> str | None:
    return None if isinstance(text, UnsetType) else text.strip()


def _or_none(value: Any) -> Any:
    return None if isinstance(value, UnsetType) else value
