"""Lines of the request log as files."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flow2api.domain.request_log import COLUMNS, LoggedRequest, as_csv, as_json_line, csv_head, csv_safe

LINE = LoggedRequest(
    number=7, at=datetime(2026, 11, 23, 12, tzinfo=UTC), request_id="req_1", key_id=1, door="images", model="paint",
    kind="image", account_id=None, generation_id="gen_1", state="failed", status=502, code="upstream_error",
    message='It said "no",\nthen fell.', attempts=1, waited_ms=0, duration_ms=12, results=0, prompt=None,
)  # fmt: skip


def test_csv_can_be_read_back() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_head() + as_csv(LINE))))

    assert len(rows) == 1
    assert rows[0]["message"] == LINE.message
    assert (rows[0]["account_id"], rows[0]["status"], rows[0]["at"]) == ("", "502", "2026-11-23T12:00:00+00:00")
    assert tuple(rows[0]) == COLUMNS


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_carry_out_is_defused(formula: str) -> None:
    (row,) = csv.DictReader(io.StringIO(csv_head() + as_csv(replace(LINE, model=formula)), newline=""))

    assert row["model"] == f"'{formula}"
    assert csv_safe(-5) == -5
    assert csv_safe("a=b") == "a=b"


def test_json_line_is_one_line_with_everything() -> None:
    line = as_json_line(LINE)

    assert line.count("\n") == 1
    assert json.loads(line)["message"] == LINE.message
    assert tuple(json.loads(line)) == COLUMNS
    assert json.loads(as_json_line(replace(LINE, body="{}")))["body"] == "{}"
