"""What the old server's file holds, as far as it can be read, and what came of bringing it over."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from flow2api.domain.account import Tier
from flow2api.domain.media import MediaKind
from flow2api.domain.secret import Secret

SOURCE = "old_server"
"""The door of inherited generations and log entries, and the model where the file names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyAccount:
    """A row of ``tokens``.

    Attributes:
        number: Its id there.
        session_token: None when there is none that could be one; then ``fault`` says why.
        fault: Why the row cannot be brought over; no secret is in it.
        is_active: Whether the old server used it; None when the file does not say.
        limits: None is no limit, 0 switched off.
        ban_reason: Why the old server switched it off, if it said so.
    """

    number: int
    session_token: Secret | None
    fault: str = ""
    email: str | None = None
    name: str = ""
    remark: str = ""
    is_active: bool | None = None
    created_at: datetime | None = None
    last_used_at: datetime | None = None
    tier: Tier | None = None
    credits: int | None = None
    workspace: str | None = None
    workspace_name: str | None = None
    limits: Mapping[MediaKind, int | None] = field(default_factory=dict)
    ban_reason: str | None = None
    banned_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyProject:
    """A row of ``projects``."""

    account: int
    workspace: str
    is_active: bool
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyFigures:
    """A row of ``token_stats``: totals, and how much of them is of its last day.

    Attributes:
        day: The last day that it counted on, ``2026-11-23``; None when it never did.
    """

    account: int
    images: int
    videos: int
    errors: int
    day: str | None
    day_images: int
    day_videos: int
    day_errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyTask:
    """A row of ``tasks``.

    Attributes:
        urls: Where its results were, when it says so in a form that can be read.
        is_garbled: Its list of results cannot be read.
    """

    id: str
    account: int | None
    model: str
    prompt: str
    status: str
    progress: int
    urls: tuple[str, ...]
    is_garbled: bool
    error: str | None
    created_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyLogLine:
    """A row of ``request_logs``, without its bodies: they hold prompts, pictures and tokens.

    Attributes:
        duration_s: How long the request took.
    """

    number: int
    account: int | None
    operation: str
    status: int | None
    duration_s: float
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacySettings:
    """What the tables of settings say. None where they don't, or where it cannot be read.

    Attributes:
        proxy_url: As proxies are kept here, with its address beside it; None when there is none that could be used.
        proxy_fault: Why it cannot be used; no secret is in it.
        is_proxy_used: Whether the proxy was switched on.
        is_cached: Whether media was kept at all.
        cached_s: How long; 0 for ever.
    """

    proxy_url: Secret | None = None
    proxy_address: str = ""
    proxy_fault: str = ""
    is_proxy_used: bool = False
    image_timeout_s: int | None = None
    video_timeout_s: int | None = None
    max_retries: int | None = None
    error_threshold: int | None = None
    is_cached: bool = False
    cached_s: int | None = None
    base_url: str | None = None
    is_debugged: bool | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """What an account did on one day, before it came here.

    Attributes:
        day: ``2026-11-23``.
    """

    account_id: int
    day: str
    images: int
    videos: int
    errors: int


@dataclass(slots=True)
class TableReport:
    """What came of one table of the file.

    Attributes:
        rows: How many it has.
        added: How many were brought over.
        known: How many had been brought over before.
        skipped: How many were not, by reason.
        examples: For each reason the first few ids of such rows.
    """

    rows: int = 0
    added: int = 0
    known: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def skip(self, reason: str, row: object, many: int = 1) -> None:
        """Count a row that is not brought over.

        Args:
            row: Its id, of which the first five of each reason are kept.
        """
        self.skipped[reason] = self.skipped.get(reason, 0) + many
        examples = self.examples.setdefault(reason, [])
        if row is not None and len(examples) < _EXAMPLES:
            examples.append(str(row)[:64])


_EXAMPLES = 5


@dataclass(frozen=True, slots=True)
class LegacyReport:
    """What came of a whole file.

    Attributes:
        tables: By the names of the file's tables, in the order in which they were read.
        notes: Sentences about what the operator should look at.
    """

    tables: Mapping[str, TableReport]
    notes: tuple[str, ...]
