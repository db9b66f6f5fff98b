"""The old server's tables, of whatever revision: what a revision has not is as if it were empty."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flow2api.adapters.legacy import cells
from flow2api.adapters.legacy.connection import connect, rows_of, unreadable
from flow2api.adapters.legacy.settings import SETTINGS_COLUMNS, settings_of
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
from flow2api.domain.usecases.manage_accounts import read_session_token

T = TypeVar("T")

BATCH = 1000
LOG_BATCH = 5000
"""Lines of the log are short, and each batch is one write here."""

COLUMNS = {
    "tokens": (
        "st", "email", "name", "remark", "is_active", "created_at", "last_used_at", "credits", "user_paygate_tier",
        "current_project_id", "image_enabled", "video_enabled", "image_concurrency", "video_concurrency",
        "ban_reason", "banned_at",
    ),
    "projects": ("project_id", "token_id", "is_active", "created_at"),
    "token_stats": (
        "token_id", "image_count", "video_count", "error_count", "today_image_count", "today_video_count",
        "today_error_count", "today_date",
    ),
    "tasks": (
        "task_id", "token_id", "model", "prompt", "status", "progress", "result_urls", "error_message", "created_at",
        "completed_at",
    ),
    "request_logs": ("token_id", "operation", "status_code", "duration", "created_at"),
    **SETTINGS_COLUMNS,
}  # fmt: skip
"""What is read. The bodies in ``request_logs`` are not: they hold prompts, pictures and tokens."""

_NEEDED = {"tokens": "st", "projects": "project_id", "token_stats": "token_id", "tasks": "task_id"}
_LONGEST_TEXT = 40_000
_UNLIMITED = -1
_MOST_SLOTS = 10_000

_Cells = Mapping[str, object]


class SqliteLegacyFile:
    """Reads a thousand rows at a time, so that a server which uses the file is never kept from writing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._columns: dict[str, tuple[str, ...]] = {}

    async def open(self) -> None:
        """Look what tables there are.

        Raises:
            UnsupportedInputError: It is no file of the old server.
        """
        await asyncio.to_thread(self._open)

    async def aclose(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            await asyncio.to_thread(self._connection.close)
            self._connection = None

    async def counts(self) -> Mapping[str, int]:
        counted: dict[str, int] = {}
        for table in await asyncio.to_thread(self._tables):
            name = table.replace('"', '""')
            ((many,),) = await self._rows(f'SELECT count(*) FROM "{name}"')  # noqa: S608  # quoted
            counted[table] = int(str(many))
        return counted

    async def settings(self) -> LegacySettings:
        rows: dict[str, _Cells] = {}
        for table in SETTINGS_COLUMNS:
            async for batch in self._read(table, lambda number, row: row, 1):
                rows[table] = batch[0] or {}
                break
        return settings_of(rows)

    def accounts(self) -> AsyncIterator[Sequence[LegacyAccount | None]]:
        return self._read("tokens", _account)

    def projects(self) -> AsyncIterator[Sequence[LegacyProject | None]]:
        return self._read("projects", _project)

    def figures(self) -> AsyncIterator[Sequence[LegacyFigures | None]]:
        return self._read("token_stats", _figures)

    def tasks(self) -> AsyncIterator[Sequence[LegacyTask | None]]:
        return self._read("tasks", _task)

    def log(self) -> AsyncIterator[Sequence[LegacyLogLine | None]]:
        return self._read("request_logs", _log_line, LOG_BATCH)

    def _open(self) -> None:
        self._connection = connect(self._path)
        try:
            self._learn(set(self._tables()))
        except BaseException:
            self._connection.close()
            self._connection = None
            raise

    def _learn(self, present: set[str]) -> None:
        """Note which of the columns that we read this revision has."""
        if "tokens" not in present:
            if "alembic_version" in present:
                raise unreadable(
                    self._path, "is a database of this program; `flow2api db restore` brings back a backup."
                )
            raise unreadable(self._path, "is no database of the old server: it has no table `tokens`.")
        for table in COLUMNS.keys() & present:
            self._columns[table] = self._columns_of(table)

    def _tables(self) -> Sequence[str]:
        found = self._rows_now(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
            "AND upper(sql) NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
        )
        return [str(name) for (name,) in found]

    def _columns_of(self, table: str) -> tuple[str, ...]:
        here = {str(row[1]).lower() for row in self._rows_now(f'PRAGMA table_info("{table}")')}
        needed = _NEEDED.get(table)
        if needed is not None and needed not in here:
            raise unreadable(self._path, f"is no database of the old server: its table {table} has no {needed}.")
        return tuple(column for column in COLUMNS[table] if column in here)

    async def _read(
        self, table: str, parse: Callable[[int, _Cells], T | None], many: int = BATCH
    ) -> AsyncIterator[Sequence[T | None]]:
        columns = self._columns.get(table)
        if not columns:
            return
        query = (
            f"SELECT rowid, {', '.join(map(_capped, columns))} "  # noqa: S608  # the names are ours
            f'FROM "{table}" WHERE rowid > ? ORDER BY rowid LIMIT {many}'
        )
        behind = -(2**63)
        while rows := await self._rows(query, (behind,)):
            yield [parse(_whole(row[0]), dict(zip(columns, row[1:], strict=True))) for row in rows]
            behind = _whole(rows[-1][0])

    async def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return await asyncio.to_thread(self._rows_now, query, values)

    def _rows_now(self, query: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        assert self._connection is not None  # noqa: S101 - it is opened first
        return rows_of(self._connection, self._path, query, values)


def _capped(column: str) -> str:
    return f'CASE WHEN typeof("{column}") IN (\'text\', \'blob\') THEN substr("{column}", 1, {_LONGEST_TEXT}) ELSE "{column}" END'


def _whole(cell: object) -> int:
    return cell if isinstance(cell, int) else 0


def _account(number: int, row: _Cells) -> LegacyAccount:
    token, fault = None, ""
    try:
        token = read_session_token(cells.text(row.get("st"), _LONGEST_TEXT))
    except UnsupportedInputError as error:
        fault = error.message
    return LegacyAccount(
        number=number,
        session_token=token,
        fault=fault,
        email=cells.text(row.get("email"), 255) or None,
        name=cells.text(row.get("name"), 128),
        remark=cells.prose(row.get("remark"), 1000),
        is_active=cells.flag(row.get("is_active")),
        created_at=cells.moment(row.get("created_at")),
        last_used_at=cells.moment(row.get("last_used_at")),
        tier=cells.tier(row.get("user_paygate_tier")),
        credits=cells.number(row.get("credits")),
        workspace=cells.text(row.get("current_project_id"), 128) or None,
        workspace_name=cells.text(row.get("current_project_name"), 128) or None,
        limits=dict(_limits(row)),
        ban_reason=cells.text(row.get("ban_reason"), 200) or None,
        banned_at=cells.moment(row.get("banned_at")),
    )


def _limits(row: _Cells) -> Sequence[tuple[MediaKind, int | None]]:
    found: list[tuple[MediaKind, int | None]] = []
    for kind in MediaKind:
        slots = cells.number(row.get(f"{kind}_concurrency"))
        if cells.flag(row.get(f"{kind}_enabled")) is False:
            found.append((kind, 0))
        elif slots is not None and slots >= _UNLIMITED:
            found.append((kind, None if slots == _UNLIMITED else min(slots, _MOST_SLOTS)))
    return found


def _project(number: int, row: _Cells) -> LegacyProject | None:
    account, workspace = cells.number(row.get("token_id")), cells.text(row.get("project_id"), 128)
    if account is None or not workspace:
        return None
    return LegacyProject(
        account=account,
        workspace=workspace,
        is_active=cells.flag(row.get("is_active")) is not False,
        created_at=cells.moment(row.get("created_at")),
    )


def _figures(number: int, row: _Cells) -> LegacyFigures | None:
    account = cells.number(row.get("token_id"))
    if account is None:
        return None
    return LegacyFigures(
        account=account,
        images=cells.count(row.get("image_count")),
        videos=cells.count(row.get("video_count")),
        errors=cells.count(row.get("error_count")),
        day=cells.day(row.get("today_date")),
        day_images=cells.count(row.get("today_image_count")),
        day_videos=cells.count(row.get("today_video_count")),
        day_errors=cells.count(row.get("today_error_count")),
    )


def _task(number: int, row: _Cells) -> LegacyTask | None:
    task_id = cells.text(row.get("task_id"), 256)
    if not task_id:
        return None
    urls = cells.urls(row.get("result_urls"), _LONGEST_TEXT)
    return LegacyTask(
        id=task_id,
        account=cells.number(row.get("token_id")),
        model=cells.text(row.get("model"), 128),
        prompt=cells.prose(row.get("prompt"), 32_000),
        status=cells.text(row.get("status"), 32).casefold(),
        progress=min(cells.count(row.get("progress")), 100),
        urls=urls or (),
        is_garbled=urls is None,
        error=cells.text(row.get("error_message"), 500) or None,
        created_at=cells.moment(row.get("created_at")),
        completed_at=cells.moment(row.get("completed_at")),
    )


def _log_line(number: int, row: _Cells) -> LegacyLogLine:
    return LegacyLogLine(
        number=number,
        account=cells.number(row.get("token_id")),
        operation=cells.text(row.get("operation"), 64),
        status=cells.number(row.get("status_code")),
        duration_s=cells.seconds(row.get("duration")),
        at=cells.moment(row.get("created_at")),
    )


if TYPE_CHECKING:
    from flow2api.domain.ports.legacy import LegacyFile

    def _is_a_legacy_file(file: SqliteLegacyFile) -> LegacyFile:
        return file
