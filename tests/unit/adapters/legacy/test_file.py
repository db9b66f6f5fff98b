import hashlib
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest

from flow2api.adapters.legacy import SqliteLegacyFile
from flow2api.adapters.legacy import connection as legacy_connection
from flow2api.adapters.legacy import file as legacy_file
from flow2api.adapters.legacy.settings import SETTINGS_COLUMNS
from flow2api.domain.account import Tier
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.legacy import (
    LegacyAccount,
    LegacyFigures,
    LegacyLogLine,
    LegacyProject,
    LegacySettings,
    LegacyTask,
)
from flow2api.domain.media import MediaKind
from flow2api.domain.secret import Secret
from tests.unit.adapters.legacy.old_files import TABLES, add_rows, old_file, session_token, token

T = TypeVar("T")

IMAGE, VIDEO = MediaKind.IMAGE, MediaKind.VIDEO


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteLegacyFile]:
    file = SqliteLegacyFile(path)
    await file.open()
    try:
        yield file
    finally:
        await file.aclose()


async def every(batches: AsyncIterator[Sequence[T]]) -> list[T]:
    return [row async for batch in batches for row in batch]


async def test_reads_every_table_of_the_newest_revision(tmp_path: Path) -> None:
    path = old_file(
        tmp_path / "flow.db",
        {
            "tokens": [token(7, remark="lent", video_enabled=0, ban_reason="429_rate_limit", banned_at="2026-11-23T01:02:03")],
            "projects": [{"project_id": "p", "token_id": 7, "is_active": 1, "created_at": "2026-03-02 00:00:00"}],
            "token_stats": [
                {"token_id": 7, "image_count": 9, "video_count": 4, "error_count": 2, "today_image_count": 1,
                 "today_video_count": 0, "today_error_count": 1, "today_date": "2026-11-23"}
            ],
            "tasks": [
                {"task_id": "t", "token_id": 7, "model": "veo", "prompt": "a\nhill", "status": "completed",
                 "progress": 100, "result_urls": '["https://media.example/1.mp4"]', "created_at": "2026-11-01 10:00:00"}
            ],
            "request_logs": [
                {"token_id": 7, "operation": "generate_image", "request_body": "{}", "status_code": 200,
                 "duration": 2.5, "created_at": "2026-11-01 10:00:00"}
            ],
        },
    )  # fmt: skip

    async with opened(path) as file:
        assert await file.counts() == {
            "admin_config": 0, "projects": 1, "request_logs": 1, "tasks": 1, "token_stats": 1, "tokens": 1,
        }  # fmt: skip
        assert await every(file.accounts()) == [
            LegacyAccount(
                number=7,
                session_token=Secret(session_token("7")),
                email="p7@example.com",
                name="p7",
                remark="lent",
                is_active=True,
                created_at=datetime(2026, 3, 1, 10, tzinfo=UTC),
                tier=Tier.PRO,
                credits=100,
                workspace="project-7",
                limits={IMAGE: None, VIDEO: 0},
                ban_reason="429_rate_limit",
                banned_at=datetime(2026, 11, 23, 1, 2, 3, tzinfo=UTC),
            )
        ]
        assert await every(file.projects()) == [
            LegacyProject(account=7, workspace="p", is_active=True, created_at=datetime(2026, 3, 2, tzinfo=UTC))
        ]
        assert await every(file.figures()) == [
            LegacyFigures(
                account=7, images=9, videos=4, errors=2, day="2026-11-23", day_images=1, day_videos=0, day_errors=1
            )
        ]
        (task,) = await every(file.tasks())
        assert isinstance(task, LegacyTask)
        assert (task.id, task.prompt, task.urls) == ("t", "a\nhill", ("https://media.example/1.mp4",))
        assert await every(file.log()) == [
            LegacyLogLine(
                number=1,
                account=7,
                operation="generate_image",
                status=200,
                duration_s=2.5,
                at=datetime(2026, 11, 1, 10, tzinfo=UTC),
            )
        ]


@pytest.mark.parametrize("missing", TABLES["tokens"][2:])
async def test_a_revision_without_a_column_is_read(tmp_path: Path, missing: str) -> None:
    columns = {"tokens": [column for column in TABLES["tokens"] if column != missing]}
    row = {name: value for name, value in token(1).items() if name != missing}

    async with opened(old_file(tmp_path / "flow.db", {"tokens": [row]}, tables=columns)) as file:
        (account,) = await every(file.accounts())

    assert account is not None
    assert account.session_token == Secret(session_token("1"))


async def test_a_revision_without_the_other_tables_is_read(tmp_path: Path) -> None:
    async with opened(old_file(tmp_path / "flow.db", tables={"tokens": ("id", "st")})) as file:
        assert await file.counts() == {"tokens": 0}
        for batches in (file.projects(), file.figures(), file.tasks(), file.log()):
            assert await every(batches) == []


GARBAGE: Sequence[object] = (
    None, "", 0, -1, 1e308, float("inf"), 2**62, "\x00\x1b[2J", b"\xff\xfe\x00", "9" * 400, "{" * 50_000,
    "[" * 50_000, '["javascript:1", 5, "https://a@b/", "http://ok.example/x"]', "2026-99-99", "nan", "-0", "true",
)  # fmt: skip


@pytest.mark.parametrize("cell", GARBAGE, ids=lambda cell: repr(cell)[:20])
async def test_garbage_in_every_cell_is_read_or_told(tmp_path: Path, cell: object) -> None:
    rows = {
        table: [{column: cell for column in columns if column != "id"}]
        for table, columns in TABLES.items()
        if table != "admin_config"
    }

    async with opened(old_file(tmp_path / "flow.db", rows)) as file:
        (account,) = await every(file.accounts())
        assert account is not None
        assert (account.session_token is None) == bool(account.fault)
        assert "\x1b" not in account.name
        for batches in (file.projects(), file.figures(), file.tasks(), file.log()):
            assert len(await every(batches)) == 1


async def test_only_plain_web_addresses_are_kept(tmp_path: Path) -> None:
    listed = (
        '["https://ok.example/a", "javascript:alert(1)", "https://user:pw@no.example/", "file:///etc", 7, "http://x y"]'
    )
    path = old_file(
        tmp_path / "flow.db",
        {"tasks": [{"task_id": "1", "result_urls": listed}, {"task_id": "2", "result_urls": "not json"}]},
    )

    async with opened(path) as file:
        good, bad = await every(file.tasks())

    assert good is not None
    assert bad is not None
    assert (good.urls, good.is_garbled) == (("https://ok.example/a",), False)
    assert (bad.urls, bad.is_garbled) == ((), True)


@pytest.mark.parametrize("wal", [False, True])
async def test_file_is_never_written(tmp_path: Path, wal: bool) -> None:
    path = old_file(tmp_path / "flow.db", {"tokens": [token(1)]}, wal=wal)
    before = hashlib.sha256(path.read_bytes()).digest()

    async with opened(path) as file:
        await file.counts()
        assert len(await every(file.accounts())) == 1

    assert hashlib.sha256(path.read_bytes()).digest() == before
    assert [each.name for each in tmp_path.iterdir()] == ["flow.db"], "and nothing is made beside it"


@pytest.mark.parametrize("wal", [False, True])
async def test_old_server_may_write_meanwhile(tmp_path: Path, wal: bool) -> None:
    path = old_file(tmp_path / "flow.db", {"tokens": [token(number) for number in range(1, 4)]}, wal=wal)
    with closing(sqlite3.connect(path, timeout=0.1)) as old_server:
        add_rows(old_server, {"tokens": [token(4)]})
        async with opened(path) as file:
            batches = file.accounts()
            first = await anext(batches)
            add_rows(old_server, {"tokens": [token(5)]})
            rest = await every(batches)

    numbers = [account.number for account in (*first, *rest) if account is not None]
    assert numbers[:4] == [1, 2, 3, 4]


async def test_a_lock_that_stays_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legacy_connection, "BUSY_TIMEOUT_S", 0.05)
    path = old_file(tmp_path / "flow.db", {"tokens": [token(1)]})
    with closing(sqlite3.connect(path, isolation_level=None)) as old_server:
        old_server.execute("BEGIN EXCLUSIVE")
        with pytest.raises(UnsupportedInputError, match="stays locked by the server"):
            await SqliteLegacyFile(path).open()


async def test_rows_come_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = old_file(tmp_path / "flow.db", {"tokens": [token(number) for number in range(1, 2502)]})

    async with opened(path) as file:
        sizes = [len(batch) async for batch in file.accounts()]

    assert sizes == [1000, 1000, 501]


def damaged(path: Path) -> Path:
    """A database whose first pages are well and whose others are not."""
    old_file(path, {"tokens": [token(number) for number in range(1, 3000)]})
    whole = bytearray(path.read_bytes())
    middle = len(whole) // 2
    whole[middle:] = b"\xa5" * (len(whole) - middle)
    path.write_bytes(whole)
    return path


async def test_damage_is_told_where_it_begins(tmp_path: Path) -> None:
    async with opened(damaged(tmp_path / "flow.db")) as file:
        with pytest.raises(UnsupportedInputError, match=r"is damaged|cannot be read any further"):
            await every(file.accounts())


def make_text(path: Path) -> None:
    path.write_text("nothing of the kind" * 10)


def make_empty(path: Path) -> None:
    path.touch()


def make_folder(path: Path) -> None:
    path.mkdir()


def make_nothing(path: Path) -> None:
    return


def make_other(path: Path) -> None:
    old_file(path, tables={"recipes": ("id", "name")})


def make_ours(path: Path) -> None:
    old_file(path, tables={"alembic_version": ("version_num",), "accounts": ("id",)})


def make_tokens_of_another_kind(path: Path) -> None:
    old_file(path, tables={"tokens": ("id", "word")})


def make_view(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE VIEW tokens AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id, id AS st FROM n"
        )


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (make_text, "is no SQLite database"),
        (make_empty, "is no SQLite database"),
        (make_folder, "is no file"),
        (make_nothing, "is not there"),
        (make_other, "no table `tokens`"),
        (make_ours, "is a database of this program"),
        (make_tokens_of_another_kind, "its table tokens has no st"),
        (make_view, "no table `tokens`"),
    ],
)
async def test_hostile_or_wrong_file_ends_in_one_sentence(tmp_path: Path, make: object, problem: str) -> None:
    path = tmp_path / "flow.db"
    assert callable(make)
    make(path)

    with pytest.raises(UnsupportedInputError, match=problem) as told:
        await SqliteLegacyFile(path).open()

    assert told.value.code == "legacy_file_unreadable"


async def test_a_table_without_row_numbers_is_told(tmp_path: Path) -> None:
    path = tmp_path / "flow.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE tokens (st TEXT PRIMARY KEY) WITHOUT ROWID")

    with pytest.raises(UnsupportedInputError, match="cannot be read"):
        async with opened(path) as file:
            await every(file.accounts())


async def test_a_query_that_lasts_too_long_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legacy_connection, "STATEMENT_S", -1.0)
    monkeypatch.setattr(legacy_connection, "_STEPS_BETWEEN_LOOKS", 10)
    path = old_file(tmp_path / "flow.db", {"tokens": [token(number) for number in range(1, 100)]})

    with pytest.raises(UnsupportedInputError, match="takes too long"):
        await SqliteLegacyFile(path).open()


def test_the_columns_that_hold_bodies_are_not_read() -> None:
    assert not {"request_body", "response_body", "at", "password", "api_key"} & {
        column for columns in legacy_file.COLUMNS.values() for column in columns
    }


async def test_settings_are_read_under_the_names_of_each_revision(tmp_path: Path) -> None:
    tables = {
        "tokens": ("st",),
        "proxy_config": ("id", "enabled", "proxy_url"),
        "generation_config": ("id", "image_timeout", "video_timeout"),
        "cache_config": ("id", "cache_enabled", "cache_timeout", "cache_base_url"),
        "debug_config": ("id", "enabled", "mask_token"),
        "admin_config": ("id", "username", "password", "api_key", "error_ban_threshold"),
        "request_logs": ("id", "of_another_kind"),
    }
    rows: dict[str, list[dict[str, object]]] = {
        "proxy_config": [{"enabled": 1, "proxy_url": "http://user:canary@p:1"}, {"enabled": 0, "proxy_url": "no"}],
        "generation_config": [{"image_timeout": 400, "video_timeout": None}],
        "cache_config": [{"cache_enabled": 0, "cache_timeout": 7200, "cache_base_url": None}],
        "debug_config": [{"enabled": 1}],
        "admin_config": [{"password": "canary", "error_ban_threshold": 5}],
        "request_logs": [{"of_another_kind": 1}],
    }
    async with opened(old_file(tmp_path / "flow.db", rows, tables=tables)) as file:
        assert await file.settings() == LegacySettings(
            proxy_url=Secret("http://user:canary@p:1"),
            proxy_address="http://p:1",
            is_proxy_used=True,
            image_timeout_s=400,
            error_threshold=5,
            cached_s=7200,
            is_debugged=True,
        )
        assert await every(file.log()) == []


async def test_file_without_settings_says_nothing_of_them(tmp_path: Path) -> None:
    async with opened(old_file(tmp_path / "flow.db", tables={"tokens": ("st",), "debug_config": ("id",)})) as file:
        assert await file.settings() == LegacySettings()


@pytest.mark.parametrize("cell", GARBAGE, ids=lambda cell: repr(cell)[:20])
async def test_garbage_in_settings_is_read(tmp_path: Path, cell: object) -> None:
    columns = {"tokens": ("st",), **{table: ("id", *names) for table, names in SETTINGS_COLUMNS.items()}}
    rows = {table: [dict.fromkeys(names, cell)] for table, names in SETTINGS_COLUMNS.items()}
    async with opened(old_file(tmp_path / "flow.db", rows, tables=columns)) as file:
        assert isinstance(await file.settings(), LegacySettings)


async def test_proxy_that_cannot_be_used_says_why_without_its_secrets(tmp_path: Path) -> None:
    columns = {"tokens": ("st",), "proxy_config": ("id", "enabled", "proxy_url")}
    rows = {"proxy_config": [{"enabled": 1, "proxy_url": "user:canary@p:1"}]}
    async with opened(old_file(tmp_path / "flow.db", rows, tables=columns)) as file:
        settings = await file.settings()
    assert settings.proxy_url is None
    assert "not by no scheme" in settings.proxy_fault
    assert "canary" not in settings.proxy_fault
