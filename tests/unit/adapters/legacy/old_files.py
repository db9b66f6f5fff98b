"""Files as revisions of the old server have left them."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

TOKENS = (
    "id", "st", "at", "at_expires", "email", "name", "remark", "is_active", "created_at", "last_used_at", "use_count",
    "credits", "user_paygate_tier", "current_project_id", "current_project_name", "image_enabled", "video_enabled",
    "image_concurrency", "video_concurrency", "ban_reason", "banned_at",
)  # fmt: skip
TABLES: Mapping[str, Sequence[str]] = {
    "tokens": TOKENS,
    "projects": ("id", "project_id", "token_id", "project_name", "tool_name", "is_active", "created_at"),
    "token_stats": (
        "id", "token_id", "image_count", "video_count", "success_count", "error_count", "last_success_at",
        "last_error_at", "today_image_count", "today_video_count", "today_error_count", "today_date",
        "consecutive_error_count",
    ),
    "tasks": (
        "id", "task_id", "token_id", "model", "prompt", "status", "progress", "result_urls", "error_message", "scene_id",
        "created_at", "completed_at",
    ),
    "request_logs": (
        "id", "token_id", "operation", "request_body", "response_body", "status_code", "duration", "created_at",
    ),
    "admin_config": ("id", "username", "password", "api_key"),
}  # fmt: skip


def session_token(name: str) -> str:
    return f"eyJ{name}-".ljust(400, "s")


def old_file(
    path: Path,
    rows: Mapping[str, Sequence[Mapping[str, object]]] | None = None,
    *,
    tables: Mapping[str, Sequence[str]] = TABLES,
    wal: bool = False,
) -> Path:
    """A file with these tables, whose columns take anything, and these rows."""
    with closing(sqlite3.connect(path)) as connection:
        if wal:
            connection.execute("PRAGMA journal_mode=WAL")
        for table, columns in tables.items():
            listed = ", ".join("id INTEGER PRIMARY KEY" if column == "id" else column for column in columns)
            connection.execute(f"CREATE TABLE {table} ({listed})")
        add_rows(connection, rows or {})
    return path


def add_rows(connection: sqlite3.Connection, rows: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    for table, given in rows.items():
        for row in given:
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))
    connection.commit()


def token(number: int, **fields: object) -> dict[str, object]:
    """A row as the newest revision writes it."""
    return {
        "id": number,
        "st": session_token(str(number)),
        "email": f"p{number}@example.com",
        "name": f"p{number}",
        "is_active": 1,
        "created_at": "2026-03-01 10:00:00",
        "credits": 100,
        "user_paygate_tier": "PAYGATE_TIER_ONE",
        "current_project_id": f"project-{number}",
        "image_enabled": 1,
        "video_enabled": 1,
        "image_concurrency": -1,
        "video_concurrency": 2,
        **fields,
    }
