"""The audit log is read page by page, and only with filters that can be."""

import json
from datetime import timedelta

import pytest

from flow2api.domain.audit import Actor, AuditEntry, AuditFilter
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.usecases.read_audit_log import ReadAuditLog
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.storage import FakeStorage

ADA = Actor(name="ada", door="admin_api")


@pytest.fixture
async def read() -> ReadAuditLog:
    storage = FakeStorage(FakeClock())
    for number in range(5):
        at = START + timedelta(minutes=number)
        await storage.audit_log.note(AuditEntry(at=at, actor=ADA, action="key.created", subject=str(number)))
    return ReadAuditLog(storage.audit_log)


async def test_pages_follow_each_other_to_the_end(read: ReadAuditLog) -> None:
    first = await read.page(AuditFilter(), limit=3)
    last = await read.page(AuditFilter(), before=first.items[-1].number, limit=3)

    assert [entry.number for entry in (*first.items, *last.items)] == [5, 4, 3, 2, 1]
    assert (first.has_more, last.has_more) == (True, False)


async def test_span_holds_its_beginning_and_not_its_end(read: ReadAuditLog) -> None:
    span = AuditFilter(since=START + timedelta(minutes=1), until=START + timedelta(minutes=3))

    assert [entry.subject for entry in (await read.page(span)).items] == ["2", "1"]


@pytest.mark.parametrize(
    "wanted", [AuditFilter(since=START, until=START), AuditFilter(action="x" * 257), AuditFilter(actor="x" * 257)]
)
async def test_what_cannot_be_asked_for_is_refused(read: ReadAuditLog, wanted: AuditFilter) -> None:
    with pytest.raises(UnsupportedInputError):
        await read.page(wanted)


async def test_filter_forgets_blanks_and_what_is_empty(read: ReadAuditLog) -> None:
    page = await read.page(AuditFilter(actor=" ada ", subject="3", action=" "))

    assert [entry.number for entry in page.items] == [4]


async def test_file_has_every_entry_that_passes_newest_first(read: ReadAuditLog) -> None:
    lines = "".join([piece async for piece in read.export(AuditFilter(subject="3"), "jsonl")]).splitlines()
    table = "".join([piece async for piece in read.export(AuditFilter(), "csv")]).splitlines()

    assert [json.loads(line)["number"] for line in lines] == [4]
    assert [line.split(",")[0] for line in table] == ["number", "5", "4", "3", "2", "1"]


async def test_file_of_what_cannot_be_asked_for_is_refused(read: ReadAuditLog) -> None:
    with pytest.raises(UnsupportedInputError):
        [piece async for piece in read.export(AuditFilter(since=START, until=START), "csv")]
