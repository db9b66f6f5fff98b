"""Figures in Prometheus' format, with labels of few values whatever callers send."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flow2api.adapters.metrics import CountedJournal, Exposition
from flow2api.domain.account import AccountStatus, RestReason
from flow2api.domain.breaker import BreakerState, BreakerStatus, Host
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import LogEntry
from flow2api.domain.usecases.count_accounts import Census

ENTRY = LogEntry(
    at=datetime(2026, 11, 23, tzinfo=UTC),
    request_id="req_1",
    key_id=1,
    door="images",
    model="m",
    account_id=1,
    generation_id="gen_1",
    state="completed",
    code=None,
    duration_ms=1500,
    kind=MediaKind.IMAGE,
)
CENSUS = Census(
    total=3,
    by_status={**dict.fromkeys(AccountStatus, 0), AccountStatus.ACTIVE: 2, AccountStatus.DISABLED: 1},
    resting={RestReason.MANUAL: 1},
    warming=1,
    expired=0,
    expiring=0,
    rate_limited=0,
    credits=77,
)
SAMPLE = re.compile(r'[a-z_][a-z0-9_]*(\{[a-z]+="[^"\\\n]*"(,[a-z]+="[^"\\\n]*")*\})? -?[0-9.e+-]+')


class Noted:
    def __init__(self) -> None:
        self.entries: list[LogEntry] = []

    def note(self, entry: LogEntry) -> None:
        self.entries.append(entry)


@pytest.fixture
def inner() -> Noted:
    return Noted()


@pytest.fixture
def journal(inner: Noted) -> CountedJournal:
    return CountedJournal(inner)


@pytest.fixture
def exposition(journal: CountedJournal) -> Exposition:
    async def census() -> Census:
        return CENSUS

    return Exposition(census, journal, lambda: 4, '1.0 "beta"\n')


async def test_every_line_is_of_the_format(exposition: Exposition, journal: CountedJournal) -> None:
    journal.note(ENTRY)
    lines = (await exposition()).splitlines()

    assert [line for line in lines if not line.startswith("# ") and not SAMPLE.fullmatch(line)] == [
        'flow2api_build_info{version="1.0 \\"beta\\"\\n"} 1'
    ]
    named = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert {"flow2api_accounts", "flow2api_generations_total", "process_cpu_seconds_total"} <= named


async def test_tells_what_was_counted(exposition: Exposition, journal: CountedJournal, inner: Noted) -> None:
    entries = [
        ENTRY,
        replace(ENTRY, duration_ms=700),
        replace(ENTRY, kind=MediaKind.VIDEO, state="failed", code="upstream_timeout"),
        replace(ENTRY, kind=None, state="refused", code="model_not_found"),
    ]
    for entry in entries:
        journal.note(entry)
    text = await exposition()

    assert inner.entries == entries
    for line in (
        'flow2api_accounts{status="active"} 2',
        'flow2api_accounts_resting{reason="manual"} 1',
        "flow2api_account_credits 77",
        "flow2api_generations_running 4",
        'flow2api_generations_total{kind="image",state="completed"} 2',
        'flow2api_generations_total{kind="video",state="failed"} 1',
        'flow2api_errors_total{code="upstream_timeout"} 1',
        'flow2api_generation_duration_seconds_bucket{kind="image",le="1"} 1',
        'flow2api_generation_duration_seconds_bucket{kind="image",le="2"} 2',
        'flow2api_generation_duration_seconds_bucket{kind="image",le="+Inf"} 2',
        'flow2api_generation_duration_seconds_sum{kind="image"} 2.2',
        'flow2api_generation_duration_seconds_count{kind="image"} 2',
    ):
        assert line in text.splitlines(), line


async def test_labels_stay_few_whatever_comes(exposition: Exposition, journal: CountedJournal) -> None:
    for number in range(1000):
        journal.note(replace(ENTRY, state=f"state {number}", code=f"code {number}", model=f"model {number}"))
    text = await exposition()

    assert 'flow2api_errors_total{code="other"} 1000' in text
    assert 'flow2api_generations_total{kind="image",state="other"} 1000' in text
    assert len(text.splitlines()) < 100


async def test_host_that_is_left_alone_is_told_by_its_base_url(journal: CountedJournal) -> None:
    async def census() -> Census:
        return CENSUS

    closed, opened = (BreakerStatus(one, 0.0, 0, 0) for one in (BreakerState.CLOSED, BreakerState.HALF_OPEN))
    statuses = {
        (("flow", None), Host.SESSION): closed,
        (("openai", "https://media.example.org/v1"), Host.API): opened,
    }
    lines = (await Exposition(census, journal, lambda: 4, "1.0", lambda: statuses)()).splitlines()
    assert 'flow2api_upstream_left_alone{upstream="flow",host="session",base_url=""} 0' in lines
    there = 'upstream="openai",host="api",base_url="https://media.example.org/v1"'
    assert f"flow2api_upstream_left_alone{{{there}}} 1" in lines
