"""Every table with its indexes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flow2api.domain.account import Account, Credentials
from flow2api.domain.api_key import ApiKey
from flow2api.domain.audit import AuditEntry
from flow2api.domain.connection_token import ConnectionToken
from flow2api.domain.generation import Generation
from flow2api.domain.health import HealthEvent
from flow2api.domain.media import Media
from flow2api.domain.notification import LastTold, NotifyTarget
from flow2api.domain.operator import Operator, folded
from flow2api.domain.ports.storage import IdempotencyClaim
from flow2api.domain.proxy import Proxy
from flow2api.domain.request_log import LoggedRequest
from flow2api.domain.second_factor import SecondFactor
from flow2api.domain.session import OperatorSession
from flow2api.domain.statistics import Counts
from flow2api.domain.throttle import Tries
from flow2api.domain.trash import DeletedAccount
from flow2api.domain.webhook import Delivery, DeliveryState, Webhook
from flow2api_lmdb.tables import COUNTERS, Table


@dataclass(frozen=True, slots=True)
class NotedChange:
    """An entry of the change feed, with the time and the storage that wrote it."""

    number: int
    what: str
    id: str
    at: datetime
    origin: str


@dataclass(frozen=True, slots=True)
class KeptCredentials:
    """The secrets of an account, and the digest by which its session token is found."""

    account_id: int
    credentials: Credentials
    digest: bytes


@dataclass(frozen=True, slots=True)
class KeptDeleted:
    """A deleted account with its secrets."""

    deleted: DeletedAccount
    secrets: KeptCredentials


@dataclass(frozen=True, slots=True)
class KeptGeneration:
    """A generation, and the place that it has among all in the order of adding."""

    order: int
    generation: Generation


@dataclass(frozen=True, slots=True)
class SetOption:
    """An option that somebody has set."""

    name: str
    value: Any
    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Assigned:
    """The proxy that an account has of a pool."""

    account_id: int
    pool: str
    proxy: str


@dataclass(frozen=True, slots=True)
class Told:
    """What operators were told last of a thing."""

    about: str
    last: LastTold


@dataclass(frozen=True, slots=True)
class TriedSubject:
    """The tries to sign in of one subject."""

    subject: bytes
    tries: Tries


@dataclass(frozen=True, slots=True)
class OfferedCode:
    """A setup code, by its digest."""

    digest: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Figure:
    """What was counted of one account, key and model (0 and empty: of none) in one span of time."""

    at: int | str
    account_id: int
    key_id: int
    model: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class SeenCredits:
    """What an account had left on a day when it was looked at last; 0 stands for all accounts together."""

    account_id: int
    day: str
    left: int


ACCOUNTS = Table(
    "accounts", Account, indexes={"email": lambda account: None if account.email is None else (account.email,)}
)
CREDENTIALS = Table(
    "credentials",
    KeptCredentials,
    indexes={
        "digest": lambda kept: (kept.digest,),
        "fresh": lambda kept: None if kept.credentials.access_token is None else (kept.credentials.expires_at,),
    },
)
DELETED = Table("deleted_accounts", KeptDeleted)
API_KEYS = Table(
    "api_keys",
    ApiKey,
    indexes={"digest": lambda key: (key.digest,), "active": lambda key: (key.name,) if key.is_active else None},
    unique={
        "active": lambda key: f"An active key named {key.name!r} exists already. Choose another name or revoke it.",
        "digest": lambda _: "This key exists already.",
    },
)
OPERATORS = Table(
    "operators",
    Operator,
    indexes={"name": lambda operator: (folded(operator.name),)},
    unique={"name": lambda operator: f"An operator named {operator.name!r} exists already. Choose another name."},
)
SESSIONS = Table(
    "sessions",
    OperatorSession,
    indexes={"operator": lambda session: (session.operator_id, session.created_at, session.id)},
)
SIGN_IN_TRIES = Table("sign_in_tries", TriedSubject)
SECOND_FACTORS = Table("second_factors", SecondFactor)
SETUP_CODES = Table("setup_codes", OfferedCode)
AUDIT_LOG = Table("audit_log", AuditEntry)
CONNECTION_TOKEN = Table("connection_token", ConnectionToken)
PROXIES = Table(
    "proxies",
    Proxy,
    indexes={"name": lambda proxy: (proxy.name,)},
    unique={"name": lambda proxy: f"A proxy named {proxy.name!r} exists already."},
)
ASSIGNMENTS = Table("assignments", Assigned, indexes={"proxy": lambda assigned: (assigned.proxy,)})
GENERATIONS = Table(
    "generations",
    KeptGeneration,
    indexes={
        "order": lambda kept: (kept.order,),
        "group": lambda kept: (kept.generation.group_id, kept.order),
        "created": lambda kept: (kept.generation.created_at, kept.order),
        "listed": lambda kept: (
            kept.generation.key_id,
            kept.generation.kind.value,
            kept.generation.created_at,
            kept.order,
        ),
        "unfinished": lambda kept: None if kept.generation.state.is_final else (kept.generation.created_at, kept.order),
        "body": lambda kept: (
            None
            if kept.generation.body_digest is None
            else (kept.generation.key_id, kept.generation.body_digest, kept.order)
        ),
    },
)
CLAIMS = Table("claims", IdempotencyClaim, indexes={"expiry": lambda claim: (claim.expires_at,)})
MEDIA = Table(
    "media",
    Media,
    indexes={
        "expiry": lambda media: None if media.expires_at is None else (media.expires_at,),
        "digest": lambda media: (media.sha256,),
    },
)
CHANGES = Table("changes", NotedChange)
OPTIONS = Table("options", SetOption)
REQUEST_LOG = Table(
    "request_log",
    LoggedRequest,
    indexes={
        "time": lambda line: (line.at, line.number),
        "account": lambda line: None if line.account_id is None else (line.account_id, line.at),
    },
)
QUARTERS = Table("quarters", Figure)
DAYS = Table("days", Figure)
TOTALS = Table("totals", Figure)
HEALTH = Table(
    "health",
    HealthEvent,
    indexes={"account": lambda event: (event.account_id, event.number), "time": lambda event: (event.at,)},
)
CREDITS = Table("credits", SeenCredits, indexes={"day": lambda seen: (seen.day,)})
NOTIFY_TARGETS = Table(
    "notify_targets",
    NotifyTarget,
    indexes={"name": lambda target: (target.name,)},
    unique={"name": lambda target: f"A notify target named {target.name!r} exists already. Choose another name."},
)
TOLD = Table("told", Told)
WEBHOOKS = Table(
    "webhooks",
    Webhook,
    indexes={"name": lambda webhook: (webhook.name,)},
    unique={"name": lambda webhook: f"A webhook named {webhook.name!r} exists already. Choose another name."},
)
DELIVERIES = Table(
    "deliveries",
    Delivery,
    indexes={
        "webhook": lambda one: (one.webhook_id, one.number),
        "message": lambda one: (one.webhook_id, one.message_id),
        "about": lambda one: (one.webhook_id, one.about, one.number) if one.about else None,
        "due": lambda one: (one.due_at, one.number) if one.state is DeliveryState.PENDING else None,
        "ended": lambda one: None if one.ended_at is None else (one.ended_at,),
    },
)
FACTS = Table("facts", str)

TABLES: tuple[Table[Any], ...] = tuple(value for value in list(globals().values()) if isinstance(value, Table))
DATABASES = (COUNTERS, *(name for table in TABLES for name in table.databases))
