"""What a client asked for, our record of it, and the events of its life."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from flow2api.domain.catalog import ModelSpec
from flow2api.domain.choice import Choice
from flow2api.domain.errors import UpstreamStateUnknownError
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.record import Record

_MILLISECOND = timedelta(milliseconds=1)


class State(StrEnum):
    """The only states of a generation, in code, tables, API and console."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self in (State.COMPLETED, State.FAILED, State.CANCELLED)


class Phase(StrEnum):
    """Where a running generation is."""

    LEASING = "leasing"
    AUTHENTICATING = "authenticating"
    UPLOADING = "uploading"
    SUBMITTING = "submitting"
    POLLING = "polling"
    STORING = "storing"


class Stage(StrEnum):
    """Which of the two paid steps a phase belongs to: making the thing, or enlarging what was made."""

    MAKE = "make"
    ENLARGE = "enlarge"


class InputRole(StrEnum):
    """What an input picture or video is for."""

    REFERENCE = "reference"
    START = "start"
    END = "end"
    BASE = "base"
    SOURCE = "source"
    MASK = "mask"


@dataclass(frozen=True, slots=True)
class Input:
    """One input, already kept as a media of ours."""

    media_id: str
    role: InputRole


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRequest:
    """One request in canonical form, whatever door it came through.

    Attributes:
        model: The name that was asked for.
        count: How many results are wanted.
        size: The size to echo, as the door words it.
        seconds: The length to echo.
        warnings: What was rounded, replaced or ignored on the way here.
        parent_id: The generation that this one builds on (remix, edit), if any.
        modest: The same request without what was only inferred (a resolution from ``quality``), for a pool in which no
            account has the plan that it needs.
        others: The same request for other models, in order, for a time when no account is free for this one.
        avoid: Accounts that must not serve it.
    """

    model: str
    spec: ModelSpec
    prompt: str
    inputs: tuple[Input, ...] = ()
    count: int = 1
    seed: int | None = None
    size: str = ""
    seconds: int | None = None
    warnings: tuple[str, ...] = ()
    parent_id: str | None = None
    door: str = ""
    modest: "GenerationRequest | None" = None
    others: tuple["GenerationRequest", ...] = ()
    avoid: frozenset[int] = frozenset()

    def warned(self, *sentences: str) -> "GenerationRequest":
        """With these sentences for the caller, each once; its modest form has them too."""
        if not sentences:
            return self
        return replace(
            self,
            warnings=tuple(dict.fromkeys((*self.warnings, *sentences))),
            modest=None if self.modest is None else self.modest.warned(*sentences),
            others=tuple(one.warned(*sentences) for one in self.others),
        )


def in_place_of(first: GenerationRequest, other: GenerationRequest) -> GenerationRequest:
    """A request of a route that serves instead of its first one, which the caller is told."""
    return other.warned(f"{first.spec.name} has no account free now; {other.spec.name} serves in its place.")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a generation ended without a result; ``code`` is that of the error tree."""

    code: str
    message: str


class Passage(NamedTuple):
    """When a generation went into a phase, in milliseconds from when it was asked for. Some are made for every picture."""

    phase: Phase
    at_ms: int


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """What one account met before another was tried, or before it was given up.

    Attributes:
        at_ms: When it began, in milliseconds from when the generation was asked for.
        phase: Where it failed; None before the first one.
        code: That of the error tree.
        message: The error's sentence, without secrets.
    """

    account_id: int
    at_ms: int
    took_ms: int
    phase: Phase | None
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Product:
    """One result as the upstream names it.

    Attributes:
        name: Upstream's id, good only with the account that made it; empty when upstream keeps nothing of it.
        url: Where its bytes are, when upstream said so.
        data: The bytes themselves, when upstream sent them along.
        seconds: How long the video is, where that does not follow from its model (one that was put together).
        extra: What the adapter needs to build on it later (opaque JSON text).
    """

    name: str
    url: str | None = None
    data: bytes | None = None
    width: int | None = None
    height: int | None = None
    extra: str | None = None
    seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """Upstream's handle of work that goes on after the submit.

    Attributes:
        name: Unique for the account.
        payload: What the adapter needs to ask for it again (opaque JSON text).
    """

    name: str
    payload: str = ""


@dataclass(frozen=True, slots=True)
class OperationStatus:
    """What a poll said: still running, done with a product, or failed with an error of the tree."""

    product: Product | None = None
    error: Exception | None = None

    @property
    def is_final(self) -> bool:
        """Whether polling is over."""
        return self.product is not None or self.error is not None


@dataclass(frozen=True, kw_only=True)
class Generation(Record):
    """Our record of one request: a row before anything is sent upstream, and until retention ends.

    Attributes:
        id: Public and unguessable; ``video_…`` for videos, ``gen_…`` for pictures.
        key_id: The API key that owns it; None for the operator's own.
        group_id: What the parts of one request (``n`` above 1) share.
        spec_name: The concrete model that serves it.
        account_id: The account that works on it, or made it.
        workspace: The account's upstream project that the work belongs to.
        operation: Upstream's handle while it is polled.
        made: The finished first step (JSON text of its product) while the second one runs.
        progress: 0 to 100; never goes back.
        fence: Grows with every change of owner; a write with an older one is refused.
        rescues: How often another owner took it over after a crash.
        attempts: How many submits were begun, on whatever account.
        choice: How the account of the latest attempt was chosen; None before, and where it was not chosen.
        body_digest: Of a request that spends and came without an idempotency key: SHA-256 of what was asked.
        passages: The phases that it went through, in order.
        failed_attempts: The attempts that came to nothing, in order.
    """

    id: str
    key_id: int | None
    kind: MediaKind
    model: str
    spec_name: str
    prompt: str
    created_at: datetime
    group_id: str = ""
    door: str = ""
    inputs: tuple[Input, ...] = ()
    count: int = 1
    seed: int | None = None
    size: str = ""
    seconds: int | None = None
    warnings: tuple[str, ...] = ()
    parent_id: str | None = None
    state: State = State.QUEUED
    phase: Phase | None = None
    stage: Stage = Stage.MAKE
    progress: int = 0
    account_id: int | None = None
    workspace: str | None = None
    operation: Operation | None = None
    made: str | None = None
    results: tuple[str, ...] = ()
    fault: Fault | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    expires_at: datetime | None = None
    deleted_at: datetime | None = None
    owner: str | None = None
    lease_until: datetime | None = None
    fence: int = 0
    rescues: int = 0
    attempts: int = 0
    choice: Choice | None = None
    body_digest: bytes | None = None
    passages: tuple[Passage, ...] = ()
    failed_attempts: tuple[FailedAttempt, ...] = ()

    @property
    def was_refused(self) -> bool:
        """Whether it failed before an upstream was asked to make anything."""
        return self.state is State.FAILED and self.attempts == 0

    @property
    def has_uploads(self) -> bool:
        """Whether any of its inputs has to be handed to the account; a source is there already."""
        return any(one.role is not InputRole.SOURCE for one in self.inputs)

    @property
    def may_be_repeated(self) -> bool:
        """Whether it failed, and certainly has spent nothing."""
        is_unknown = self.fault is not None and self.fault.code == UpstreamStateUnknownError.code
        return self.state is State.FAILED and self.operation is None and self.made is None and not is_unknown

    def entering(self, phase: Phase, now: datetime) -> "Generation":
        """Running, in this phase."""
        passages = (*self.passages, Passage(phase, self.age_ms(now)))
        return self.changed(state=State.RUNNING, phase=phase, started_at=self.started_at or now, passages=passages)

    def met(self, failed: FailedAttempt) -> "Generation":
        """With one more attempt that came to nothing."""
        return self.changed(failed_attempts=(*self.failed_attempts, failed))

    def age_ms(self, now: datetime) -> int:
        """Milliseconds since it was asked for."""
        age_ms = (now - self.created_at) // _MILLISECOND
        return max(0, age_ms)

    def progressed(self, progress: int) -> "Generation":
        """With this progress, unless it was further already; 100 is kept for the end."""
        return self.changed(progress=max(self.progress, min(progress, 99)))

    def completed(self, results: tuple[str, ...], now: datetime, expires_at: datetime | None) -> "Generation":
        """Ended well."""
        return self.changed(
            state=State.COMPLETED, phase=None, progress=100, results=results, ended_at=now,
            expires_at=expires_at, operation=None, made=None, owner=None, lease_until=None,
        )  # fmt: skip

    def failed(self, fault: Fault, now: datetime) -> "Generation":
        """Ended without a result; the reason stays."""
        return self.changed(state=State.FAILED, phase=None, fault=fault, ended_at=now, owner=None, lease_until=None)

    def cancelled(self, now: datetime) -> "Generation":
        """Ended because somebody asked for it."""
        fault = Fault("cancelled", "The generation was cancelled.")
        return self.changed(state=State.CANCELLED, phase=None, fault=fault, ended_at=now, owner=None, lease_until=None)

    def warned(self, sentence: str) -> "Generation":
        """With one more sentence for the caller, once."""
        return self if sentence in self.warnings else self.changed(warnings=(*self.warnings, sentence))


@dataclass(frozen=True, slots=True)
class Accepted:
    """Work has begun or waits its turn; nothing more is refused before the first byte.

    Attributes:
        replayed: It is the answer to an earlier request with the same idempotency key.
    """

    generation: Generation
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Progressed:
    """It moved on; ``note`` is for people."""

    generation: Generation
    note: str = ""


@dataclass(frozen=True, slots=True)
class MediaReady:
    """One result is kept."""

    generation: Generation
    media: Media


@dataclass(frozen=True, slots=True)
class Finished:
    """Every result is kept; the last event of a generation."""

    generation: Generation
    media: tuple[Media, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    """No result; the last event of a generation."""

    generation: Generation
    error: Exception


GenerationEvent = Accepted | Progressed | MediaReady | Finished | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What an account is asked to make in one call.

    Attributes:
        inputs: Upstream's handles of the inputs, uploaded by this very account, with their roles.
        source: The product to enlarge, to edit or to extend.
    """

    spec: ModelSpec
    stage: Stage = Stage.MAKE
    prompt: str = ""
    count: int = 1
    seed: int | None = None
    inputs: tuple[tuple[InputRole, str], ...] = ()
    source: Product | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
