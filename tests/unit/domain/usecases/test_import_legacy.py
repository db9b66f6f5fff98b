from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flow2api.domain.account import Account, AccountStatus, Capacity, Credentials, RestReason, Tier
from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.generation import Fault, State
from flow2api.domain.legacy import (
    LegacyAccount,
    LegacyFigures,
    LegacyLogLine,
    LegacyProject,
    LegacyReport,
    LegacySettings,
    LegacyTask,
    TableReport,
    Total,
)
from flow2api.domain.media import MediaKind
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.import_legacy import ImportLegacy
from flow2api.domain.usecases.inherit_accounts import InheritAccounts
from flow2api.domain.usecases.inherit_settings import InheritSettings
from flow2api.domain.usecases.manage_proxies import ManageProxies
from flow2api.settings import parse_options
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.inheritance import FakeInheritance
from flow2api.testing.fakes.secrets import FakeCipher
from flow2api.testing.fakes.storage import FakeStorage

SPRING = datetime(2026, 3, 1, 10, tzinfo=UTC)


def token(name: object) -> Secret:
    return Secret(f"eyJ{name}-".ljust(300, "s"))


def account(number: int, **fields: Any) -> LegacyAccount:
    return LegacyAccount(
        **{
            "number": number,
            "session_token": token(number),
            "email": f"P{number}@example.com",
            "name": f"p{number}",
            "is_active": True,
            "created_at": SPRING,
            **fields,
        }
    )


def task(task_id: str, **fields: Any) -> LegacyTask:
    return LegacyTask(
        **{
            "id": task_id,
            "account": 1,
            "model": "veo_3_1_t2v_fast",
            "prompt": "a hill",
            "status": "completed",
            "progress": 100,
            "urls": ("https://media.example/1.mp4",),
            "is_garbled": False,
            "error": None,
            "created_at": SPRING,
            "completed_at": SPRING + timedelta(minutes=2),
            **fields,
        }
    )


def line(number: int, **fields: Any) -> LegacyLogLine:
    return LegacyLogLine(
        **{
            "number": number,
            "account": 1,
            "operation": "generate_video",
            "status": 200,
            "duration_s": 1.5,
            "at": START - timedelta(hours=number),
            **fields,
        }
    )


class FileInMemory:
    """An old file whose rows a test gives."""

    def __init__(self, **tables: Sequence[Any]) -> None:
        self._tables = tables
        self.old_settings = LegacySettings()

    async def settings(self) -> LegacySettings:
        return self.old_settings

    async def counts(self) -> Mapping[str, int]:
        return {name: len(rows) for name, rows in self._tables.items()}

    async def _rows(self, table: str) -> AsyncIterator[Sequence[Any]]:
        rows = self._tables.get(table, ())
        for start in range(0, len(rows), 2):
            yield rows[start : start + 2]

    def accounts(self) -> AsyncIterator[Sequence[LegacyAccount | None]]:
        return self._rows("tokens")

    def projects(self) -> AsyncIterator[Sequence[LegacyProject | None]]:
        return self._rows("projects")

    def figures(self) -> AsyncIterator[Sequence[LegacyFigures | None]]:
        return self._rows("token_stats")

    def tasks(self) -> AsyncIterator[Sequence[LegacyTask | None]]:
        return self._rows("tasks")

    def log(self) -> AsyncIterator[Sequence[LegacyLogLine | None]]:
        return self._rows("request_logs")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def storage(clock: FakeClock) -> FakeStorage:
    return FakeStorage(clock)


@pytest.fixture
def inheritance(storage: FakeStorage) -> FakeInheritance:
    assert isinstance(storage.inheritance, FakeInheritance)
    return storage.inheritance


@pytest.fixture
def bring_over(storage: FakeStorage, clock: FakeClock) -> ImportLegacy:
    return ImportLegacy(storage.accounts, storage.vault, storage.inheritance, FakeCipher(), clock)


def skipped(report: LegacyReport, table: str) -> dict[str, int]:
    return report.tables[table].skipped


async def test_account_comes_with_its_switches_limits_plan_and_project(
    bring_over: ImportLegacy, storage: FakeStorage
) -> None:
    file = FileInMemory(
        tokens=[
            account(
                4,
                remark="lent",
                tier=Tier.PRO,
                credits=70,
                limits={MediaKind.IMAGE: None, MediaKind.VIDEO: 0},
                workspace="w",
            )
        ]
    )

    report = await bring_over(file)

    assert (report.tables["tokens"].rows, report.tables["tokens"].added) == (1, 1)
    assert storage.tables.accounts == {
        1: Account(
            id=1,
            upstream="flow",
            name="p4",
            email="p4@example.com",
            created_at=SPRING,
            remark="lent",
            tier=Tier.PRO,
            credits=70,
            capacity=Capacity(None, 0),
            workspace="w",
        )
    }
    assert storage.tables.credentials == {1: Credentials(token(4))}


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"is_active": True, "ban_reason": "429_rate_limit", "banned_at": START}, AccountStatus.ACTIVE),
        ({"is_active": None}, AccountStatus.ACTIVE),
        ({"is_active": False}, AccountStatus.DISABLED),
        ({"is_active": False, "ban_reason": "membership_expired"}, AccountStatus.DISABLED),
        (
            {"is_active": False, "ban_reason": "429_rate_limit", "banned_at": START - timedelta(hours=11)},
            AccountStatus.COOLING_DOWN,
        ),
        ({"is_active": False, "ban_reason": "429_rate_limit", "banned_at": None}, AccountStatus.COOLING_DOWN),
        (
            {"is_active": False, "ban_reason": "429_rate_limit", "banned_at": START - timedelta(hours=13)},
            AccountStatus.ACTIVE,
        ),
        (
            {"is_active": False, "ban_reason": "429_rate_limit", "banned_at": START + timedelta(days=900)},
            AccountStatus.COOLING_DOWN,
        ),
    ],
)
async def test_ban_becomes_a_rest_with_its_own_cure(
    bring_over: ImportLegacy, storage: FakeStorage, fields: dict[str, Any], status: AccountStatus
) -> None:
    await bring_over(FileInMemory(tokens=[account(1, **fields)]))

    (kept,) = storage.tables.accounts.values()
    assert kept.status(START) is status
    assert kept.status(START + timedelta(hours=12)) in (status, AccountStatus.ACTIVE)
    if status is AccountStatus.DISABLED:
        assert [rest.why for rest in kept.rests] == [fields.get("ban_reason", "off in the old server")]


async def test_second_run_brings_only_what_is_new(
    bring_over: ImportLegacy, storage: FakeStorage, inheritance: FakeInheritance
) -> None:
    figures = LegacyFigures(account=1, images=3, videos=1, errors=0, day=None, day_images=0, day_videos=0, day_errors=0)
    rows: dict[str, list[Any]] = {
        "tokens": [account(1)],
        "token_stats": [figures],
        "tasks": [task("a")],
        "request_logs": [line(1)],
    }
    await bring_over(FileInMemory(**rows))
    before = (dict(storage.tables.accounts), dict(storage.tables.generations), list(inheritance.totals))

    again = await bring_over(FileInMemory(**rows))

    assert (storage.tables.accounts, storage.tables.generations, inheritance.totals) == before
    for table in ("tokens", "tasks", "request_logs"):
        assert (again.tables[table].added, again.tables[table].known) == (0, 1), table
    rows["tokens"].append(account(2))
    rows["tasks"].append(task("b"))
    later = await bring_over(FileInMemory(**rows))
    assert (later.tables["tokens"].added, later.tables["tasks"].added) == (1, 1)


async def test_what_is_here_already_stays_as_it_is(bring_over: ImportLegacy, storage: FakeStorage) -> None:
    mine = Account(id=0, upstream="flow", name="mine", email="p1@example.com", created_at=START, tags=frozenset({"a"}))
    (mine,) = await storage.accounts.add([(mine, Credentials(token("rotated since")))])

    report = await bring_over(FileInMemory(tokens=[account(1, is_active=False)], tasks=[task("a")]))

    assert storage.tables.accounts == {mine.id: mine}
    assert storage.tables.credentials[mine.id] == Credentials(token("rotated since"))
    assert report.tables["tokens"].known == 1
    assert [one.account_id for one in storage.tables.generations.values()] == [mine.id]


async def test_ended_session_here_gets_the_one_of_the_file(bring_over: ImportLegacy, storage: FakeStorage) -> None:
    mine = Account(id=0, upstream="flow", name="", email="p1@example.com", created_at=START)
    await storage.accounts.add([(mine.resting(RestReason.AUTH_EXPIRED, START), Credentials(token("ended")))])

    report = await bring_over(FileInMemory(tokens=[account(1)]))

    assert storage.tables.accounts[1].rests == ()
    assert storage.tables.credentials[1] == Credentials(token(1))
    assert any(note.startswith("1 accounts here had an ended session") for note in report.notes)


async def test_two_rows_of_one_address_become_one_account(
    bring_over: ImportLegacy, storage: FakeStorage, inheritance: FakeInheritance
) -> None:
    rows = [
        account(1, email="same@example.com", is_active=False),
        account(2, email="Same@Example.com", last_used_at=START),
        account(3, email="same@example.com", last_used_at=SPRING),
    ]
    figures = [
        LegacyFigures(account=number, images=10, videos=0, errors=1, day=None, day_images=0, day_videos=0, day_errors=0)
        for number in (1, 2, 3)
    ]

    report = await bring_over(FileInMemory(tokens=rows, token_stats=figures))

    assert storage.tables.credentials == {1: Credentials(token(2))}, "the one that was in use last"
    assert inheritance.totals == [Total(1, SPRING.date().isoformat(), 30, 0, 3)]
    assert report.tables["tokens"].skipped == {
        "Another row has the same address or session token; what it did counts there.": 2
    }


async def test_bad_rows_are_told_and_stop_nothing(bring_over: ImportLegacy, storage: FakeStorage) -> None:
    rows = [
        None,
        account(2, session_token=None, fault="The session token is empty."),
        account(3, session_token=Secret("eyJcanary")),
        account(4, email="no address", name=""),
        account(5),
    ]

    report = await bring_over(FileInMemory(tokens=rows, tasks=[None, task("a", account=3)], token_stats=[None]))

    assert sorted(one.email or "-" for one in storage.tables.accounts.values()) == ["-", "p5@example.com"]
    assert skipped(report, "tokens") == {
        "The row is damaged.": 1,
        "The session token is empty.": 1,
        "The session token is too short or too long to be one.": 1,
    }
    assert report.tables["tokens"].examples["The session token is empty."] == ["2"]
    assert skipped(report, "tasks") == {"The row is damaged.": 1}
    assert [one.account_id for one in storage.tables.generations.values()] == [None]
    assert "canary" not in repr(report)


async def test_sums_are_split_into_the_last_day_and_before(
    bring_over: ImportLegacy, inheritance: FakeInheritance
) -> None:
    figures = LegacyFigures(
        account=1, images=10, videos=5, errors=2, day="2026-11-23", day_images=3, day_videos=0, day_errors=9
    )

    await bring_over(FileInMemory(tokens=[account(1)], token_stats=[figures]))

    assert inheritance.totals == [Total(1, "2026-11-23", 3, 0, 2), Total(1, "2026-03-01", 7, 5, 0)]


@pytest.mark.parametrize("day", ["2026-03-01", "2026-02-01"])
async def test_sums_are_never_lost(bring_over: ImportLegacy, inheritance: FakeInheritance, day: str) -> None:
    figures = LegacyFigures(account=1, images=10, videos=5, errors=2, day=day, day_images=3, day_videos=1, day_errors=1)

    await bring_over(FileInMemory(tokens=[account(1)], token_stats=[figures]))

    totals = inheritance.totals
    assert [sum(getattr(one, name) for one in totals) for name in ("images", "videos", "errors")] == [10, 5, 2]


async def test_figures_of_an_account_that_did_not_come_are_told(
    bring_over: ImportLegacy, inheritance: FakeInheritance
) -> None:
    figures = LegacyFigures(account=9, images=1, videos=0, errors=0, day=None, day_images=0, day_videos=0, day_errors=0)

    report = await bring_over(FileInMemory(token_stats=[figures]))

    assert skipped(report, "token_stats") == {"It belongs to an account that was not brought over.": 1}
    assert inheritance.totals == []


@pytest.mark.parametrize(
    ("fields", "state", "fault"),
    [
        ({}, State.COMPLETED, None),
        ({"status": "failed", "error": "no credits"}, State.FAILED, Fault("upstream_error", "no credits")),
        (
            {"status": "failed", "error": "refused: Bearer ya29.abcdefgh"},
            State.FAILED,
            Fault("upstream_error", "refused: Bearer ***"),
        ),
        (
            {"status": "processing", "completed_at": None},
            State.FAILED,
            Fault(
                "upstream_state_unknown",
                "The old server was still at work on it; whether it was made is not known.",
            ),
        ),
    ],
)
async def test_task_becomes_a_generation_that_has_ended(
    bring_over: ImportLegacy, storage: FakeStorage, fields: dict[str, Any], state: State, fault: Fault | None
) -> None:
    await bring_over(FileInMemory(tokens=[account(1)], tasks=[task("old-task-id", **fields)]))

    (kept,) = storage.tables.generations.values()
    assert (kept.state, kept.fault, kept.kind, kept.account_id) == (state, fault, MediaKind.VIDEO, 1)
    assert kept.id.startswith("video_")
    assert "old-task-id" not in kept.id
    assert kept.key_id is None
    assert kept.results == ()
    assert kept.ended_at is not None
    assert kept.created_at <= kept.ended_at <= START
    if state is State.COMPLETED:
        assert kept.warnings == ("The old server had the result at https://media.example/1.mp4",)


async def test_log_comes_without_bodies_and_not_older_than_it_is_kept(
    storage: FakeStorage, inheritance: FakeInheritance, clock: FakeClock
) -> None:
    bring_over = ImportLegacy(
        storage.accounts,
        storage.vault,
        storage.inheritance,
        FakeCipher(),
        clock,
        log_kept=timedelta(days=30),
    )
    lines = [
        line(1),
        line(2, status=429, operation="generate_image"),
        line(3, status=None, account=77),
        line(4, at=None),
        line(5, at=START - timedelta(days=31)),
        None,
    ]

    report = await bring_over(FileInMemory(tokens=[account(1)], request_logs=lines))

    assert [
        (one.state, one.status, one.code, one.account_id, one.kind, one.duration_ms)
        for one in reversed(storage.tables.records.lines)
    ] == [
        ("completed", 200, None, 1, "video", 1500),
        ("failed", 429, "upstream_rate_limited", 1, "image", 1500),
        ("failed", None, "upstream_state_unknown", None, "video", 1500),
    ]
    assert skipped(report, "request_logs") == {
        "It does not say when it was.": 1,
        "It is older than the log is kept here.": 1,
        "The row is damaged.": 1,
    }


async def test_account_without_a_current_project_goes_on_with_its_newest(
    bring_over: ImportLegacy, storage: FakeStorage
) -> None:
    projects = [
        LegacyProject(account=1, workspace="newer", is_active=True, created_at=START),
        LegacyProject(account=1, workspace="older", is_active=True, created_at=SPRING),
        LegacyProject(account=1, workspace="gone", is_active=False, created_at=START),
        LegacyProject(account=2, workspace="other", is_active=True, created_at=START),
        LegacyProject(account=9, workspace="nobody's", is_active=True, created_at=START),
    ]

    report = await bring_over(FileInMemory(tokens=[account(1), account(2, workspace="current")], projects=projects))

    assert [one.workspace for one in storage.tables.accounts.values()] == ["newer", "current"]
    assert report.tables["projects"].added == 1
    assert skipped(report, "projects") == {
        "An account goes on with one project here: the current one.": 3,
        "It belongs to an account that was not brought over.": 1,
    }


async def test_project_that_would_lead_elsewhere_does_not_come(bring_over: ImportLegacy, storage: FakeStorage) -> None:
    await bring_over(FileInMemory(tokens=[account(1, workspace="../elsewhere?x#"), account(2, workspace="fine-1")]))

    assert [one.workspace for one in storage.tables.accounts.values()] == [None, "fine-1"]


async def test_progress_is_told_by_table_and_other_tables_are_named(bring_over: ImportLegacy) -> None:
    told: list[tuple[str, int, int]] = []
    file = FileInMemory(tokens=[account(number) for number in range(1, 4)], admin_config=[1], proxy_config=[1])

    report = await bring_over(file, lambda table, done, total: told.append((table, done, total)))

    assert told == [("tokens", 2, 3), ("tokens", 3, 3)]
    assert report.notes[-2:] == (
        "Not brought over: admin_config, proxy_config. Set options here anew.",
        "The administrator and the API key of the old server don't come: make operators and keys here anew.",
    )


async def test_settings_come_before_the_accounts_that_need_them(storage: FakeStorage, clock: FakeClock) -> None:
    ada = Actor(name="ada", door="command_line")
    manage = ManageProxies(storage.proxies, storage.accounts, clock)
    inherit = InheritSettings(storage.options, manage, clock, ada, parse=parse_options)
    bring_over = ImportLegacy(
        storage.accounts, storage.vault, storage.inheritance, FakeCipher(), clock, actor=ada, settings=inherit
    )
    file = FileInMemory(tokens=[account(1)], proxy_config=[1], plugin_config=[1])
    file.old_settings = LegacySettings(proxy_url=Secret("http://p:1"), proxy_address="http://p:1", is_proxy_used=True)

    report = await bring_over(file)

    assert [entry.action for entry in storage.tables.audit] == [
        AuditAction.PROXY_ADDED,
        AuditAction.OPTIONS_CHANGED,
        AuditAction.ACCOUNTS_IMPORTED,
    ]
    assert (report.tables["proxy_config"].rows, report.tables["proxy_config"].added) == (1, 1)
    assert report.notes == (
        "Options set as they were there: proxy.",
        "Not brought over: plugin_config. Set options here anew.",
    )


async def test_what_is_brought_over_in_somebodys_name_stands_in_the_audit_log(
    storage: FakeStorage, clock: FakeClock
) -> None:
    ada = Actor(name="ada", door="command_line")
    inherit = InheritAccounts(storage.accounts, storage.vault, clock, ada)
    await inherit([account(1), account(2, email=None)], (), TableReport())
    (kept, _) = storage.tables.accounts.values()
    storage.tables.accounts[kept.id] = kept.resting(RestReason.AUTH_EXPIRED, clock.now())

    await inherit([account(1, session_token=token("fresh"))], (), TableReport())

    told = [(entry.action, entry.actor, entry.subject) for entry in storage.tables.audit]
    assert told == [(AuditAction.ACCOUNTS_IMPORTED, ada, "1-2"), (AuditAction.ACCOUNTS_IMPORTED, ada, str(kept.id))]
    assert storage.tables.accounts[kept.id].rests == ()


async def test_task_without_an_address_says_so(bring_over: ImportLegacy, storage: FakeStorage) -> None:
    await bring_over(FileInMemory(tokens=[account(1)], tasks=[task("a", urls=())]))
    (kept,) = storage.tables.generations.values()
    assert "The old server kept no address of the result." in kept.warnings


async def test_two_rows_of_one_session_without_an_address_have_one_heir(storage: FakeStorage, clock: FakeClock) -> None:
    report = TableReport()
    rows = [account(1, email=None), account(2, email=None, session_token=token(1))]
    heirs, _ = await InheritAccounts(storage.accounts, storage.vault, clock)(rows, (), report)
    assert (report.added, set(heirs)) == (1, {1, 2})
    assert heirs[1] == heirs[2]
