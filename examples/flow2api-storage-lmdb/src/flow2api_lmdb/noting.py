"""What a change takes along in its own step: its entry of the change feed, and its entry of the audit log."""

from collections.abc import Iterable
from dataclasses import replace

from flow2api.domain.audit import AuditEntry
from flow2api_lmdb.schema import AUDIT_LOG, CHANGES, NotedChange
from flow2api_lmdb.tables import Step

ACCOUNT, API_KEY, OPERATOR, OPTIONS, PROXY, WEBHOOK = "account", "api_key", "operator", "options", "proxy", "webhook"


def note_changes(step: Step, what: str, ids: Iterable[object]) -> None:
    """One entry of the change feed for each of these."""
    for each in ids:
        number = step.new_number("change")
        step.put(CHANGES, (number,), NotedChange(number, what, str(each), step.now, step.origin))


def note_audit(step: Step, entry: AuditEntry | None, made: object = None) -> None:
    """The entry of the audit log, if there is one.

    Args:
        made: What the change has made; it is the subject of an entry that names none.
    """
    if entry is not None:
        subject = str(made) if entry.subject is None and made is not None else entry.subject
        number = step.new_number("audit")
        step.put(AUDIT_LOG, (number,), replace(entry, number=number, subject=subject))
