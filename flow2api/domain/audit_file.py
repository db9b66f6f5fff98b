"""The audit log as a file: one line for each entry."""

import csv
import io
import json
from collections.abc import Sequence

from flow2api.domain.audit import AuditEntry
from flow2api.domain.request_log import csv_safe

COLUMNS = ("number", "at", "actor", "door", "address", "request_id", "action", "subject", "details")
"""What stands in a file, in this order."""


def csv_head() -> str:
    """The first line of a CSV file."""
    return _csv(COLUMNS)


def as_csv(entry: AuditEntry) -> str:
    """A line of a CSV file, the details as JSON; what a spreadsheet would take for a formula begins with an apostrophe."""
    facts = {**_facts(entry), "details": json.dumps(dict(entry.details), ensure_ascii=False)}
    return _csv(["" if (fact := facts[name]) is None else csv_safe(fact) for name in COLUMNS])


def as_json_line(entry: AuditEntry) -> str:
    """A line of a JSON Lines file."""
    return json.dumps(_facts(entry), ensure_ascii=False) + "\n"


def _facts(entry: AuditEntry) -> dict[str, object]:
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "actor": entry.actor.name,
        "door": entry.actor.door,
        "address": entry.actor.address,
        "request_id": entry.actor.request_id,
        "action": str(entry.action),
        "subject": entry.subject,
        "details": dict(entry.details),
    }


def _csv(cells: Sequence[object]) -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue()
