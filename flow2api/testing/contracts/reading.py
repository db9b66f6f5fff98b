"""What the suites of a storage have in common: entries to write, and reading back what was written."""

from collections.abc import Callable

from flow2api.domain.account import Account
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.ports.storage import Storage
from flow2api.domain.ports.system import Clock
from flow2api.domain.session import LONGEST_SESSION, OperatorSession
from flow2api.testing.fakes.clock import FakeClock

NewStorage = Callable[[], Storage]

ADA = Actor(name="ada", door="admin_api", operator_id=1, address="192.0.2.7", request_id="req_1")


async def all_accounts(storage: Storage) -> list[Account]:
    """Every account, in the order in which they are loaded."""
    return [account async for batch in storage.accounts.load() for account in batch]


async def new_changes(storage: Storage, behind: int = 0) -> list[tuple[str, str]]:
    """What the feed tells behind this number, without numbers."""
    return [(change.what, change.id) for change in await storage.changes.since(behind)]


def entry_of(clock: Clock, action: str = AuditAction.ACCOUNT_CHANGED, subject: str | None = None) -> AuditEntry:
    """An entry of the audit log."""
    return AuditEntry(at=clock.now(), actor=ADA, action=action, subject=subject, details={"after": {"remark": "é"}})


def session_of(clock: FakeClock, name: bytes, operator_id: int, stamp: str = "stamp of ada") -> OperatorSession:
    """A session; its digest begins with the name."""
    now = clock.now()
    return OperatorSession(
        id=f"ses_{name.decode()}",
        digest=name.ljust(32, b"."),
        operator_id=operator_id,
        stamp=stamp,
        created_at=now,
        seen_at=now,
        expires_at=now + LONGEST_SESSION,
        address="192.0.2.7",
        agent="curl/8",
    )


async def actions(storage: Storage) -> list[tuple[str, str | None]]:
    """Action and subject of every entry of the audit log, oldest first."""
    return [(entry.action, entry.subject) for entry in reversed(await storage.audit_log.page(before=None, limit=100))]
