"""Requests as operators look them up: what is asked for, what is shown, and how it is handed out as a file."""

import csv
import io
import json
from contextvars import ContextVar
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

from flow2api.domain.abridging import PromptLogging

REFUSED = "refused"
"""The state of a request that was answered with an error before anything was begun."""

FileForm = Literal["csv", "jsonl"]
"""In which form lines are handed out."""

STATES = ("completed", "failed", "cancelled", REFUSED)

LONGEST_MESSAGE = 500
LONGEST_TEXT = 100

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(slots=True)
class Asking:
    """What is known of a request while it is answered.

    It travels with the context of the request into everything that is begun for it.

    Attributes:
        model: What was asked for; empty until the body is read.
        keeps_body: Whether the body is to be kept.
        prompts: What is kept of prompts.
        body: The body as it may be kept.
        has_begun: A generation was begun for it, which has a line of its own in the log.
        code: What it was refused for.
        message: The sentence that tells it.
    """

    request_id: str
    keeps_body: bool = False
    prompts: PromptLogging = "off"
    model: str = ""
    body: str | None = None
    has_begun: bool = False
    code: str | None = None
    message: str | None = None


ASKING: ContextVar[Asking | None] = ContextVar("flow2api_asking", default=None)
"""The request that the current task was begun for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One line of the request log: a generation that has ended, or a request that was refused.

    Attributes:
        number: Grows with every line; lines of one moment may stand in any order.
        request_id: As the answer's ``x-request-id`` told it; parts of one request share it.
        door: Through which call it came.
        state: ``completed``, ``failed``, ``cancelled`` or ``refused``.
        status: HTTP status that the outcome has by itself; None for what was logged by an older version.
        code: Why it did not end well.
        message: The same as a sentence.
        attempts: On how many accounts a submit was tried.
        waited_ms: How long it waited for an account.
        duration_ms: How long it took, waiting included.
        results: How many pictures or videos came of it.
        prompt: Its prompt or the prompt's digest, when the option ``log_prompts`` said so then.
        body: What was sent, abridged, when the option ``log_bodies`` said so then. Lists leave it out.
    """

    number: int
    at: datetime
    request_id: str
    key_id: int | None
    door: str
    model: str
    kind: str | None
    account_id: int | None
    generation_id: str | None
    state: str
    status: int | None
    code: str | None
    message: str | None
    attempts: int
    waited_ms: int
    duration_ms: int
    results: int
    prompt: str | None
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFilter:
    """Which lines are wanted; None wants all.

    Attributes:
        since: From this moment on.
        until: Before this moment.
        text: What the request's or the generation's id begins with, with or without its prefix.
    """

    since: datetime | None = None
    until: datetime | None = None
    key_id: int | None = None
    account_id: int | None = None
    model: str | None = None
    state: str | None = None
    code: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class LogPosition:
    """A place in the log, which is ordered by time and, within one moment, by number."""

    at: datetime
    number: int


COLUMNS = tuple(one.name for one in fields(LoggedRequest) if one.name != "body")
"""What stands in a file, in this order."""


def position_of(line: LoggedRequest) -> LogPosition:
    """Where a line stands."""
    return LogPosition(line.at, line.number)


def csv_head() -> str:
    """The first line of a CSV file."""
    return _csv(COLUMNS)


def as_csv(line: LoggedRequest) -> str:
    """A line of a CSV file; what a spreadsheet would take for a formula begins with an apostrophe."""
    return _csv([csv_safe(_plain(getattr(line, name))) for name in COLUMNS])


def as_json_line(line: LoggedRequest) -> str:
    """A line of a JSON Lines file, with the body if the line has it."""
    shown = {name: getattr(line, name) for name in (*COLUMNS, *(("body",) if line.body is not None else ()))}
    return json.dumps({**shown, "at": line.at.isoformat()}, ensure_ascii=False) + "\n"


def csv_safe(value: object) -> object:
    """The value as a cell that no spreadsheet carries out."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else value


def _csv(cells: "tuple[str, ...] | list[object]") -> str:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue()
