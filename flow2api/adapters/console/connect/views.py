"""What the page shows."""

from dataclasses import dataclass, field

from flow2api.adapters.console.checks.client_check import CheckState, Verdict
from flow2api.adapters.console.checks.client_requests import (
    CLIENTS,
    COLUMNS,
    MAKES_PICTURE,
    MAKES_VIDEO,
    VIDEO_MODEL,
    used_columns,
)
from flow2api.adapters.console.checks.outside_check import Finding, Look
from flow2api.adapters.console.code_samples import Sample
from flow2api.adapters.console.connect.clients import ClientCard
from flow2api.adapters.console.language import gettext


@dataclass(frozen=True, slots=True)
class KeyChoice:
    """An active key."""

    id: int
    name: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the matrix: ``passes``, ``fails``, ``waits``, ``unused``, ``skipped`` or ``unknown``."""

    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A client, with its cells in the order of the columns."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that a client would stumble over."""

    client: str
    about: str
    reason: str
    request_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """How the server answers clients.

    Attributes:
        model: The free model that makes the pictures; empty where there is none.
        requests: How many requests a check sends.
        pictures: How many of them make a picture.
        videos: How many more make a video where that is asked for; 0 where no account serves them.
        video_model: What makes the videos; ``video_price`` says what each costs.
    """

    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    failures: tuple[Failure, ...]
    is_running: bool
    state: CheckState | None
    passed: int
    failed: int
    left: int
    model: str
    requests: int
    pictures: int
    videos: int
    video_model: str
    video_price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """The page.

    Attributes:
        new_key: The text of a key that was just made; shown this once, and never in a ``repr``.
        chosen: The key that the settings are for; None before there is one.
    """

    root: str
    base_url: str
    keys: tuple[KeyChoice, ...]
    chosen: KeyChoice | None
    new_key: str = field(repr=False)
    findings: tuple[Finding, ...]
    public_url: str
    look: Look | None
    cards: tuple[ClientCard, ...]
    samples: tuple[Sample, ...]
    matrix: Matrix


@dataclass(frozen=True, slots=True)
class CheckNews:
    """What is kept true of the page."""

    matrix: Matrix


def matrix_of(state: CheckState | None, *, is_running: bool, model: str, video_price: str = "") -> Matrix:
    """The last check as a table; before the first one, what it would ask.

    Args:
        video_price: What a video costs; empty when none can be made.
    """
    free = state.model if state is not None else model
    rows = tuple(
        Row(name, tuple(_cell(state, client, column, free) for column in COLUMNS)) for client, name in CLIENTS.items()
    )
    cells = [(client, column) for client in CLIENTS for column in used_columns(client)]
    pictures = [at for at in cells if at[1] in MAKES_PICTURE] if model else []
    sent = [at for at in cells if (model or at[1] not in MAKES_PICTURE) and at[1] not in MAKES_VIDEO]
    return Matrix(
        columns=tuple(column_words(column) for column in COLUMNS),
        rows=rows,
        failures=_failures(state),
        is_running=is_running,
        state=state,
        passed=0 if state is None else state.count(Verdict.PASSES),
        failed=0 if state is None else state.count(Verdict.FAILS),
        left=0 if state is None else state.count(Verdict.WAITS),
        model=model,
        requests=len(sent),
        pictures=len(pictures),
        videos=sum(at[1] in MAKES_VIDEO for at in cells) if video_price else 0,
        video_model=VIDEO_MODEL,
        video_price=video_price,
    )


def column_words(column: str) -> str:
    """The head of a column."""
    return {
        "models": gettext("Models"),
        "picture": gettext("Picture"),
        "edit": gettext("Edit"),
        "chat": gettext("Picture in chat"),
        "video": gettext("Video request"),
        "status": gettext("Video status"),
        "making": gettext("Video"),
    }[column]


def _cell(state: CheckState | None, client: str, column: str, model: str) -> Cell:
    if column not in used_columns(client):
        return Cell("unused")
    if not model and column in MAKES_PICTURE:
        return Cell("skipped")
    if state is None:
        return Cell("skipped" if column in MAKES_VIDEO else "unknown")
    result = state.results.get((client, column))
    return Cell("skipped") if result is None else Cell(result.verdict.value, result.reason)


def _failures(state: CheckState | None) -> tuple[Failure, ...]:
    results = {} if state is None else state.results
    return tuple(
        Failure(CLIENTS[client], column_words(column), result.reason, result.request_id)
        for (client, column), result in results.items()
        if result.verdict is Verdict.FAILS
    )
