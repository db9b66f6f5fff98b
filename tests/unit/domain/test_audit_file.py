"""Entries of the audit log as lines of files."""

import csv
import json

from flow2api.domain.audit import Actor, AuditEntry
from flow2api.domain.audit_file import COLUMNS, as_csv, as_json_line, csv_head
from flow2api.testing.fakes.clock import START

ENTRY = AuditEntry(
    number=7,
    at=START,
    actor=Actor(name="=ada", door="console", address="10.0.0.1"),
    action="options.changed",
    details={"before": {"policy": "ö"}, "after": {"policy": "x"}},
)


def test_line_of_a_table_runs_nothing_and_has_its_details_as_json() -> None:
    head, line = csv.reader([csv_head(), as_csv(ENTRY)])
    cells = dict(zip(head, line, strict=True))

    assert tuple(head) == COLUMNS
    assert (cells["actor"], cells["subject"], cells["address"]) == ("'=ada", "", "10.0.0.1")
    assert json.loads(cells["details"]) == ENTRY.details


def test_json_line_tells_everything_as_it_is() -> None:
    told = json.loads(as_json_line(ENTRY))

    assert tuple(told) == COLUMNS
    assert (told["actor"], told["at"], told["subject"]) == ("=ada", START.isoformat(), None)
    assert told["details"]["before"] == {"policy": "ö"}
