"""What the fake repositories of one storage share."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from flow2api.domain.account import Account, Credentials
from flow2api.domain.api_key import ApiKey
from flow2api.domain.audit import AuditEntry
from flow2api.domain.generation import Generation
from flow2api.domain.health import HealthEvent
from flow2api.domain.media import Media
from flow2api.domain.notification import LastTold, NotifyTarget
from flow2api.domain.operator import Operator
from flow2api.domain.ports.proxies import Assignment
from flow2api.domain.ports.storage import Change, IdempotencyClaim, LogEntry
from flow2api.domain.proxy import Proxy
from flow2api.domain.second_factor import SecondFactor
from flow2api.domain.session import OperatorSession
from flow2api.domain.throttle import Tries
from flow2api.domain.trash import DeletedAccount
from flow2api.domain.webhook import Delivery, Webhook
from flow2api.testing.fakes.records import Records

Now = Callable[[], datetime]


@dataclass
class Told:
    """What those share that have to do with messages."""

    targets: dict[int, NotifyTarget] = field(default_factory=dict)
    webhooks: dict[int, Webhook] = field(default_factory=dict)
    deliveries: dict[int, Delivery] = field(default_factory=dict)
    last: dict[str, LastTold] = field(default_factory=dict)


@dataclass
class Tables:
    """What the fake repositories share. Tests may look into it and plant rows.

    Attributes:
        fault: Raised by every write while it is set, as a database would that is locked or full.
        writes: How many writes were tried.
    """

    now: Now
    accounts: dict[int, Account] = field(default_factory=dict)
    credentials: dict[int, Credentials] = field(default_factory=dict)
    deleted: dict[int, tuple[DeletedAccount, Credentials]] = field(default_factory=dict)
    api_keys: dict[int, ApiKey] = field(default_factory=dict)
    operators: dict[int, Operator] = field(default_factory=dict)
    generations: dict[str, Generation] = field(default_factory=dict)
    claims: dict[tuple[int | None, str], IdempotencyClaim] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    options: dict[str, object] = field(default_factory=dict)
    sessions: dict[bytes, OperatorSession] = field(default_factory=dict)
    tries: dict[bytes, Tries] = field(default_factory=dict)
    second_factors: dict[int, SecondFactor] = field(default_factory=dict)
    setup_codes: dict[bytes, datetime] = field(default_factory=dict)
    proxies: dict[int, Proxy] = field(default_factory=dict)
    assignments: dict[Assignment, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    log: list[LogEntry] = field(default_factory=list)
    records: Records = field(default_factory=Records)
    told: Told = field(default_factory=Told)
    audit: list[AuditEntry] = field(default_factory=list)
    audit_fault: Exception | None = None
    health: list[HealthEvent] = field(default_factory=list)
    last_ids: dict[str, int] = field(default_factory=dict)
    fault: Exception | None = None
    writes: int = 0

    def beginning(self) -> None:
        """To be called before what is to be changed is looked at."""
        if self.fault is not None:
            raise self.fault

    def writing(self, audit: AuditEntry | None = None) -> None:
        """To be called before anything is changed."""
        self.writes += 1
        self.beginning()
        if audit is not None and self.audit_fault is not None:
            raise self.audit_fault

    def note_audit(self, entry: AuditEntry | None, made: object = None) -> None:
        """One more entry of the audit log, if there is one."""
        if entry is not None:
            subject = str(made) if entry.subject is None and made is not None else entry.subject
            self.audit.append(replace(entry, number=len(self.audit) + 1, subject=subject))

    def new_id(self, what: str) -> int:
        """The next number; numbers are never used again."""
        self.last_ids[what] = self.last_ids.get(what, 0) + 1
        return self.last_ids[what]

    def note(self, what: str, changed: object) -> None:
        """One more entry of the change feed."""
        self.changes.append(Change(self.new_id("change"), what, str(changed), is_own=True))
