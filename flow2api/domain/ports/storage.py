"""What is kept in the database: one repository per kind of thing, and the bundle that a storage plugin hands out.

A method is one short atomic step. Whoever calls it holds nothing open.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Generic, Protocol, TypeVar, runtime_checkable

from flow2api.domain.account import Account, Credentials
from flow2api.domain.api_key import ApiKey
from flow2api.domain.audit import AuditEntry
from flow2api.domain.generation import Generation
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.operator import Operator
from flow2api.domain.ports.account_directory import AccountDirectory
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.connection_tokens import ConnectionTokens
from flow2api.domain.ports.legacy import Inheritance
from flow2api.domain.ports.notifications import NotifyTargets
from flow2api.domain.ports.proxies import Proxies
from flow2api.domain.ports.request_log import RequestLog
from flow2api.domain.ports.sessions import Sessions, SignInTries
from flow2api.domain.ports.statistics import Statistics
from flow2api.domain.ports.webhooks import Deliveries, Webhooks
from flow2api.domain.secret import Secret

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A slice of a list, in the order that was asked for.

    Attributes:
        has_more: Whether more follow behind the last item.
    """

    items: tuple[T, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change feed: what kind of thing changed and which one.

    Attributes:
        is_own: It was written through this very storage, so memory knows it already.
    """

    number: int
    what: str
    id: str
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One ended generation or refused request, for the log and the statistics. It holds no secret.

    Attributes:
        request_id: What the parts of one request share.
        state: How it ended, by the words of `State`, or ``refused``.
        code: Why, when it did not end well.
        status: HTTP status that the outcome has by itself. What ended with 401 is counted, but gets no line of its own.
        message: The code as a sentence.
        attempts: On how many accounts a submit was tried.
        waited_ms: How much of its duration it waited for an account.
        results: How many pictures or videos came of it.
        prompt: As it may be kept.
        body: What was sent, as it may be kept.
    """

    at: datetime
    request_id: str
    key_id: int | None
    door: str
    model: str
    account_id: int | None
    generation_id: str | None
    state: str
    code: str | None
    duration_ms: int
    kind: MediaKind | None = None
    status: int | None = None
    message: str | None = None
    attempts: int = 0
    waited_ms: int = 0
    results: int = 0
    prompt: str | None = None
    body: str | None = None


class Accounts(Protocol):
    """The accounts, without their secrets.

    Here and below: an ``audit`` entry is written in the same step as the change, or neither is.
    """

    def load(self) -> AsyncIterator[Sequence[Account]]:
        """All accounts in batches, in the order of their ids."""
        ...

    async def get(self, account_id: int) -> Account | None:
        """One account as the database has it now."""
        ...

    async def add(
        self, accounts: Sequence[tuple[Account, Credentials]], audit: AuditEntry | None = None
    ) -> Sequence[Account]:
        """Store new accounts with their secrets in one step; their ``id`` (0 before) is filled in."""
        ...

    async def save(self, account: Account, audit: AuditEntry | None = None) -> None:
        """Write the account over what is there and note the change in the feed."""
        ...

    async def remove(self, account_id: int, audit: AuditEntry | None = None) -> None:
        """Forget the account and its secrets; its generations and media stay."""
        ...


class CredentialVault(Protocol):
    """The secrets of accounts, encrypted at rest."""

    def load(self) -> AsyncIterator[Sequence[tuple[int, Credentials]]]:
        """The secrets of every account that has an access token which has not ended, in batches."""
        ...

    async def read(self, account_id: int) -> Credentials | None:
        """The secrets of one account; None when the account is gone."""
        ...

    async def write(self, account: Account, credentials: Credentials, audit: AuditEntry | None = None) -> None:
        """Replace the secrets and write the account over what is there, in one step, noted in the feed."""
        ...

    async def find(self, session_tokens: Sequence[Secret]) -> Mapping[Secret, int]:
        """Which of these session tokens are kept already, and by which account."""
        ...


class ApiKeys(Protocol):
    """Keys to our API."""

    async def all(self) -> Sequence[ApiKey]:
        """Every key, revoked ones included, oldest first."""
        ...

    async def find(self, digest: bytes) -> ApiKey | None:
        """The key with this digest."""
        ...

    async def add(self, key: ApiKey, audit: AuditEntry | None = None) -> ApiKey:
        """Store a new key; its ``id`` (0 before) is filled in.

        Raises:
            ConflictError: An active key has this name already.
        """
        ...

    async def save(self, key: ApiKey, audit: AuditEntry | None = None) -> None:
        """Write the key over what is there and note the change in the feed."""
        ...


class Operators(Protocol):
    """Who may sign in. Two names are the same when they are so in their folded form."""

    async def all(self) -> Sequence[Operator]:
        """Every operator, oldest first."""
        ...

    async def get(self, operator_id: int) -> Operator | None:
        """One operator as the database has it now."""
        ...

    async def find(self, name: str) -> Operator | None:
        """The operator of this name."""
        ...

    async def add(self, operator: Operator, audit: AuditEntry | None = None) -> Operator:
        """Store a new operator; its ``id`` (0 before) is filled in.

        Raises:
            ConflictError: Another operator has this name.
        """
        ...

    async def add_first(self, operator: Operator, audit: AuditEntry | None = None) -> Operator:
        """Store the operator if there is none yet, in one step: of several at once, one succeeds.

        Raises:
            ConflictError: There is one already.
        """
        ...

    async def save(self, operator: Operator, audit: AuditEntry | None = None) -> None:
        """Write the operator over what is there and note the change in the feed.

        Raises:
            ConflictError: Another operator has this name.
        """
        ...


class Generations(Protocol):
    """The record of everything that was ever asked for."""

    async def add(self, generations: Sequence[Generation], claim: "IdempotencyClaim | None" = None) -> None:
        """Store new generations, and the claim of their idempotency key with them, in one step.

        Raises:
            ConflictError: Another request holds the claim; nothing was stored.
        """
        ...

    async def save(self, generation: Generation, media: Sequence[Media] = ()) -> bool:
        """Write the generation over what is there, with media that came of it, in one step.

        Returns:
            False, and nothing was written, when the row has a newer ``fence`` (another owner has taken it over).
        """
        ...

    async def get(self, generation_id: str) -> Generation | None:
        """One generation, whoever owns it."""
        ...

    async def of_group(self, group_id: str) -> Sequence[Generation]:
        """The parts of one request, in the order in which they were added."""
        ...

    async def claimed(self, key_id: int | None, idempotency_key: str) -> "IdempotencyClaim | None":
        """Who used this idempotency key before."""
        ...

    async def page(
        self, *, key_id: int | None, kind: MediaKind, after: str | None, limit: int, newest_first: bool
    ) -> Page[Generation]:
        """One page of a key's generations that are neither deleted nor expired, behind the one with the id ``after``."""
        ...

    async def renew(self, owner: str, seconds: float) -> None:
        """Prolong the lease on every unfinished generation of this owner, in one statement, by the database's clock."""
        ...

    async def take_over(self, owner: str, seconds: float, limit: int) -> Sequence[Generation]:
        """Become the owner of unfinished generations whose lease has run out or was released.

        Their ``fence`` has grown by one; ``rescues``, too, unless the former owner released them in order.
        """
        ...

    async def release(self, owner: str) -> None:
        """Give up the leases of this owner, so that others may take over at once."""
        ...


@dataclass(frozen=True, slots=True)
class IdempotencyClaim:
    """An idempotency key in use.

    Attributes:
        body_digest: SHA-256 of what was asked; the same key with another body is a conflict.
        group_id: The generations that answer it.
    """

    key_id: int | None
    idempotency_key: str
    body_digest: bytes
    group_id: str
    expires_at: datetime


class MediaIndex(Protocol):
    """What is known of kept media; the bytes are in a media store."""

    async def add(self, media: Sequence[Media]) -> None:
        """Note new media."""
        ...

    async def get(self, media_ids: Sequence[str]) -> Sequence[Media]:
        """Those of these media that are there, in the order asked for."""
        ...

    async def expired(self, now: datetime, limit: int) -> Sequence[Media]:
        """Media whose retention is over, oldest first."""
        ...

    async def remove(self, media_ids: Sequence[str]) -> Sequence[str]:
        """Forget media.

        Returns:
            The digests that no media refers to any more: their bytes may go.
        """
        ...


class ChangeFeed(Protocol):
    """Numbered changes, written in the same transaction as what changed."""

    async def latest(self) -> int:
        """The number of the newest change; 0 when there is none."""
        ...

    async def since(self, number: int, limit: int = 1000) -> Sequence[Change]:
        """Changes behind this number, oldest first."""
        ...


class OptionValues(Protocol):
    """Options that an operator has set, by name, as JSON values."""

    async def read(self) -> Mapping[str, object]:
        """Everything that differs from the defaults."""
        ...

    async def write(self, values: Mapping[str, object], who: str, audit: AuditEntry | None = None) -> None:
        """Set these options (None: back to the default), keep who did it, and note the change in the feed."""
        ...


class Journal(Protocol):
    """Request log and statistics, written in batches behind the requests."""

    def note(self, entry: LogEntry) -> None:
        """Hand over an entry; never blocks and never raises (when full it drops, and counts what it dropped)."""
        ...


class Storage(Protocol):
    """The whole set of repositories that one database serves."""

    accounts: Accounts
    directory: AccountDirectory
    vault: CredentialVault
    api_keys: ApiKeys
    operators: Operators
    sessions: Sessions
    sign_in_tries: SignInTries
    audit_log: AuditLog
    connection_tokens: ConnectionTokens
    inheritance: Inheritance
    proxies: Proxies
    generations: Generations
    media: MediaIndex
    changes: ChangeFeed
    options: OptionValues
    journal: Journal
    request_log: RequestLog
    statistics: Statistics
    notify_targets: NotifyTargets
    webhooks: Webhooks
    deliveries: Deliveries

    async def open(self) -> None:
        """Connect, bring the schema up to date, start what runs behind.

        Raises:
            ConfigurationError: The schema is newer than this program, or the secrets cannot be read with the key.
        """
        ...

    async def ping(self) -> None:
        """Raise `StorageError` when the database cannot be written now."""
        ...

    async def aclose(self) -> None:
        """Write what is pending and disconnect."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What a close look at a database found.

    Attributes:
        schema: Version of its schema; None when it has none.
        newest_schema: The version that this program writes.
        size_bytes: How large it is.
        faults: A sentence for each thing that is damaged; none when it is sound.
    """

    schema: str | None
    newest_schema: str
    size_bytes: int
    faults: tuple[str, ...]


@runtime_checkable
class Maintains(Protocol):
    """A storage that can be looked at closely, and copied as a whole. Neither needs it to be open.

    A storage may offer this; whoever wants it asks by ``isinstance``.
    """

    async def examine(self) -> Examination:
        """Look for damage, beside whoever uses the database; nothing is changed.

        Raises:
            StorageError: There is no database, or it cannot be read at all.
        """
        ...

    async def back_up(self, target: Path) -> int:
        """Write a copy as of one moment into a new file that only its owner may read, beside whoever uses the database.

        Returns:
            The size of the copy in bytes.

        Raises:
            ConflictError: There is such a file already.
            StorageError: There is no database, or no room for the copy.
        """
        ...

    async def restore(self, source: Path) -> Path | None:
        """Put a copy in the place of the database; what was there is kept beside it.

        Returns:
            Where the former database is now; None when there was none.

        Raises:
            StorageBusyError: Somebody has the database open.
            StorageError: The copy is damaged or no database of ours; nothing was changed.
            ConfigurationError: The copy was sealed with another key, or its schema is newer than this program.
        """
        ...
