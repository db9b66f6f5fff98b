"""The remote generation service.

Every method raises errors of the tree only: `CredentialError`, `UpstreamError`, `ContentBlockedError`, and
`UnsupportedInputError` where upstream says that the request itself is to blame.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from flow2api.domain.account import Credentials, Tier
from flow2api.domain.catalog import Entry, ModelSpec
from flow2api.domain.generation import Operation, OperationStatus, Order, Product
from flow2api.domain.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a call in the name of an account needs.

    Attributes:
        proxy: URL of the egress proxy; None to go direct.
        media_proxy: The same for downloads, which carry no credential; an empty one to go direct, None for ``proxy``.
        base_url: Where the account is served; None for upstreams that know that themselves.
    """

    account_id: int
    session_token: Secret | None
    access_token: Secret | None
    tier: Tier
    workspace: str | None = None
    proxy: Secret | None = None
    media_proxy: Secret | None = None
    base_url: str | None = None


@dataclass(frozen=True, slots=True)
class Exchanged:
    """What an exchange of the session token brought.

    Attributes:
        credentials: The new set; its session token may have been rotated by the upstream.
        email: The identity, folded; None when the upstream does not tell.
        name: What the upstream calls the person.
    """

    credentials: Credentials
    email: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an account may still do.

    Attributes:
        credits: What is left; None when the upstream does not tell.
        resets_at: When it is filled up again, if the upstream tells.
    """

    tier: Tier
    credits: int | None
    resets_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UploadedPicture:
    """An input picture that is to be handed to the upstream."""

    data: bytes
    content_type: str
    width: int
    height: int


class SignsIn(Protocol):
    """Turns what the operator gave into what a call needs."""

    async def exchange(self, credentials: Credentials, proxy: Secret | None) -> Exchanged:
        """A fresh access token for the session token.

        An upstream with API keys proves the key by a call that costs nothing, and gives it back as both tokens, good
        for a day: so the key is looked at again once a day.

        Raises:
            CredentialRevokedError: Only a new session token or key helps.
        """
        ...

    async def allowance(self, access: Access) -> Allowance:
        """Plan and credits; also the proof that the access token lives.

        Raises:
            CredentialExpiredError: The access token is refused.
        """
        ...

    async def open_workspace(self, access: Access, title: str) -> str:
        """Make a project that generations can belong to, and return its id."""
        ...


class Generates(Protocol):
    """Makes pictures and videos."""

    async def upload(self, access: Access, picture: UploadedPicture) -> str:
        """Hand over an input picture; the handle is good for this account and workspace, for about an hour."""
        ...

    async def produce(self, access: Access, order: Order) -> Sequence[Product]:
        """Make pictures and wait for them; as many as the order says, or fewer when upstream held some back."""
        ...

    async def submit(self, access: Access, order: Order) -> tuple[Operation, int | None]:
        """Begin a video. This is the call that spends.

        Returns:
            The handle, and the credits that are left when upstream tells.
        """
        ...

    async def poll(self, access: Access, operations: Sequence[Operation]) -> Mapping[str, OperationStatus]:
        """How these operations stand, by name; one that upstream says nothing about is missing."""
        ...

    def fetch(self, access: Access, product: Product, *, thumbnail: bool = False) -> AsyncIterator[bytes]:
        """The bytes of a product as they come.

        Raises:
            UpstreamNotFoundError: They are not there (yet).
        """
        ...


class Upstream(SignsIn, Generates, Protocol):
    """One remote service, whole.

    Attributes:
        name: How specs and accounts refer to it.
        upload_lifetime_s: How long the handle of an uploaded picture can be used.
    """

    name: str
    upload_lifetime_s: float

    def serves(self, spec: ModelSpec) -> bool:
        """Whether it can make this model as it is configured."""
        ...

    async def aclose(self) -> None:
        """End its connections."""
        ...


class DeletesProducts(Protocol):
    """An upstream that can also forget what it made."""

    async def delete(self, access: Access, names: Sequence[str]) -> None:
        """Remove products from the account."""
        ...


@runtime_checkable
class OffersModels(Protocol):
    """An upstream whose own settings name models, beside those that plugins register."""

    def models(self) -> Sequence[Entry]:
        """Models, base names and aliases; the same at every call."""
        ...
