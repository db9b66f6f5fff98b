"""What the control API takes and gives, as wire structs that its typed client shares."""

from typing import Any, Literal

from msgspec import Struct, field

Era = Literal["seed", "2026-06"]
MediaMode = Literal["full", "small"]
Tier = Literal["PAYGATE_TIER_NOT_PAID", "PAYGATE_TIER_ONE", "PAYGATE_TIER_TWO"]
FaultKind = Literal[
    "latency",
    "error",
    "drop",
    "html",
    "malformed",
    "empty_body",
    "huge_body",
    "padded",
    "truncate",
    "drip",
    "content_type",
    "inner_status",
    "empty_media",
    "no_url",
    "redirect",
    "fail_job",
    "stuck_job",
]

DAY_S = 86_400.0


class AccountKnobs(Struct, kw_only=True, forbid_unknown_fields=True):
    """How one played account behaves. Every field can be set when it is made and changed later.

    Attributes:
        email: Its address; made up when empty.
        name: The display name; made up when empty.
        session_token: A session token to accept as it stands; one is minted when empty. Only read at creation.
        api_key: The key that opens the APIs with keys in its name; one is minted when empty. Only read at creation.
        tier: The paygate tier that ``/credits`` tells and that model access depends on.
        credits: What is left. Absent from the answer of ``/credits`` when 0, as upstream does.
        daily_credits: When set, ``credits`` goes back to this number at each UTC midnight.
        at_lifetime_s: Seconds that an access token lives.
        st_window_s: Seconds that a session token lives; each exchange hands out one with a new window.
        rotate: Whether an exchange answers with a new session token in ``Set-Cookie``.
        stale_then_rotate: The next exchange tells the old access token, a past ``expires`` and a new session token;
            an exchange with that new one is good again.
        refresh_needed: Exchanges answer ``ACCESS_TOKEN_REFRESH_NEEDED`` and a dead access token.
        grant_expired: Exchanges look good, but the API base answers 401 to the token.
        revoked: What an exchange with any session token answers: ``no`` (not revoked), ``empty`` (200 ``{}``),
            ``unauthorized`` (401).
        signed_out: Session tokens count as garbage.
        migrated: Labs routes redirect to the new host and no access token is minted.
        refused_reason: When set, generation calls answer 403 with this reason (anti-abuse, region, age).
        max_parallel_jobs: Jobs at once before 429 ``PUBLIC_ERROR_CONCURRENT_LIMIT_REACHED``; None is no limit.
        quota_per_day: Generations in one UTC day before 429 ``PUBLIC_ERROR_USER_QUOTA_REACHED``; None is no limit.
        model_quota_per_day: The same per model key, with ``PUBLIC_ERROR_PER_MODEL_DAILY_QUOTA_REACHED``. For the Gemini
            API the key is the model's name, and 0 says that the account has no claim to it at all.
    """

    email: str = ""
    name: str = ""
    session_token: str = ""
    api_key: str = ""
    tier: Tier = "PAYGATE_TIER_ONE"
    credits: int = 1000
    daily_credits: int | None = None
    at_lifetime_s: float = DAY_S
    st_window_s: float = 30 * DAY_S
    rotate: bool = True
    stale_then_rotate: bool = False
    refresh_needed: bool = False
    grant_expired: bool = False
    revoked: Literal["no", "empty", "unauthorized"] = "no"
    signed_out: bool = False
    migrated: bool = False
    refused_reason: str | None = None
    max_parallel_jobs: int | None = None
    quota_per_day: int | None = None
    model_quota_per_day: dict[str, int] = field(default_factory=dict)


class NewAccounts(Struct, kw_only=True, forbid_unknown_fields=True):
    """Body of ``POST /_sim/accounts``: ``count`` accounts with the same knobs."""

    count: int = 1
    knobs: AccountKnobs = field(default_factory=AccountKnobs)


class SimAccount(Struct, kw_only=True):
    """One played account as it stands.

    Attributes:
        id: The simulator's own name for it, such as ``acc-1``.
        session_token: The newest session token that was minted for it.
        api_key: What opens the APIs with keys in its name.
        knobs: Its behaviour, with the credits that are left now.
        projects: Ids of its projects that are not deleted.
        running_jobs: Jobs that hold a place of ``max_parallel_jobs`` now.
        peak_jobs: The most jobs that ran at once.
    """

    id: str
    session_token: str
    knobs: AccountKnobs
    projects: list[str] = []
    running_jobs: int = 0
    peak_jobs: int = 0
    api_key: str = ""

    @property
    def email(self) -> str:
        """The address that an exchange tells."""
        return self.knobs.email

    @property
    def credits(self) -> int:
        """Credits that are left."""
        return self.knobs.credits


class Fault(Struct, kw_only=True, forbid_unknown_fields=True):
    """One scripted misbehaviour. It matches calls by name and account and counts the matches.

    The first ``nth - 1`` matches pass, the following ``times`` are hit (None: all that follow).

    Attributes:
        kind: ``latency`` waits ``latency_s`` and goes on. ``error`` answers ``status`` with an error envelope.
            ``drop`` closes the connection without an answer. ``html``, ``malformed``, ``empty_body`` and ``huge_body``
            replace the answer's body. ``padded`` fills the true answer up to ``size_bytes``. ``truncate`` sends half
            of the answer and closes. ``drip`` sends the answer in small pieces. ``content_type`` only changes that
            header. ``inner_status`` wraps a failure in a good tRPC
            answer. ``empty_media`` leaves out the results. ``no_url`` leaves out download URLs. ``redirect`` points
            the media redirect to ``location``. ``fail_job`` accepts a submit whose job ends FAILED with ``reason``;
            ``stuck_job`` one that never leaves ACTIVE.
        call: Call name or shell-style pattern (``submit_*``). Labs base: exchange, create_project, delete_project,
            list_projects, project_data, media_redirect, delete_media. API base: credits, upload_image,
            generate_images, upscale_image, submit_text_video, submit_reference_video, submit_start_end_video,
            submit_start_video, submit_video_upscale, submit_video_extend, poll_videos, concatenate,
            poll_concatenation, get_media, delete_assets, cancel_generation, app_availability, model_statuses,
            app_config. Links: download_image, download_video. Gemini API: gemini_models, gemini_model, gemini_generate,
            gemini_predict, gemini_submit, gemini_operation, gemini_interact, gemini_interaction, gemini_download,
            gemini_media. OpenAI-compatible host: openai_models, openai_model, openai_generate,
            openai_edit, openai_submit, openai_video, openai_content. Anything else: unknown.
        account: Id or email of the account; None is any.
        nth: Number of the first match that is hit, from 1.
        times: How many matches are hit; None is without end.
        latency_s: Real seconds to wait before anything else, with every kind; removing all faults ends the wait. A
            caller that has gone meanwhile does not stop the call from taking effect.
        status: HTTP status of ``error`` and ``html``, inner status of ``inner_status``.
        reason: Reason in the error envelope, or of the failed job; the code where the call is one of the OpenAI-compatible host.
        param: The field to blame in an ``error`` of the OpenAI-compatible host.
        should_retry: Adds an ``x-should-retry`` header to an ``error`` of the OpenAI-compatible host.
        message: Message in the error envelope; made from the status when empty.
        retry_after_s: Adds a ``retry-after`` header to ``error``; a ``RetryInfo`` where the call is one of the Gemini API.
        quota_id: Adds a ``QuotaFailure`` to an ``error`` of the Gemini API: which quota, such as one with ``PerDay`` in it.
        quota_value: How much that quota allows; 0 is no claim at all.
        quota_model: The model that it is about; empty for all.
        work_done: Whether the call takes effect although its answer is lost (``drop``, ``error``, ``html``,
            ``malformed``, ``empty_body``, ``huge_body``).
        location: Where ``redirect`` points to.
        content_type: The header that ``content_type`` sends.
        size_bytes: Length of ``huge_body`` and ``padded``.
        chunk_bytes: Length of one piece of ``drip``.
        interval_s: Real seconds between the pieces of ``drip``.
        id: Given by the simulator.
        seen: Matches so far.
        hits: Matches that were hit so far.
    """

    kind: FaultKind
    call: str = "*"
    account: str | None = None
    nth: int = 1
    times: int | None = 1
    latency_s: float = 0.0
    status: int = 500
    reason: str = ""
    param: str = ""
    should_retry: bool | None = None
    message: str = ""
    retry_after_s: float | None = None
    quota_id: str = ""
    quota_value: int = 100
    quota_model: str = ""
    work_done: bool = False
    location: str = "https://media.invalid/video"
    content_type: str = "text/plain; charset=utf-8"
    size_bytes: int = 64 * 1024 * 1024
    chunk_bytes: int = 64
    interval_s: float = 0.05
    id: int = 0
    seen: int = 0
    hits: int = 0


class SimOptions(Struct, kw_only=True, forbid_unknown_fields=True):
    """How the simulator as a whole behaves. Durations are seconds of the simulator's clock.

    Attributes:
        era: The wire shape of answers and ids. Requests of every era are understood.
        picture_s: How long a picture takes.
        picture_upscale_s: How long a picture's upscale takes.
        video_s: How long a video takes.
        video_upscale_s: How long a video's upscale takes.
        concatenation_s: How long joining two videos takes.
        pending_share: Part of a job's time in which it is PENDING or SCHEDULED, before ACTIVE.
        media: ``full`` draws each result; ``small`` serves one tiny pre-rendered file per shape (for load),
            with a comment in it so that no two are the same.
        picture_format: What generated pictures are encoded as.
        video_scale: Factor on the width and height of videos; below 1 for quick tests.
        url_lifetime_s: How long a signed media URL works.
        upload_lifetime_s: How long an uploaded picture can be used (about an hour upstream).
        redirect_not_found_first: How often the redirect route answers 404 for each video before it finds it.
        concatenation_answer: Whether a joined video comes as a URI or as base64 text.
        poll_batch_limit: Most operations in one poll; longer ones are a 400. None is no limit.
        refuse_anti_abuse: Refuse every generation call with 403 ``PUBLIC_ERROR_UNUSUAL_ACTIVITY``.
        max_upload_bytes: Larger uploads are a 400 ``PUBLIC_ERROR_IMAGE_TOO_LARGE``.
        min_upload_px: Uploads with a shorter side are a 400 ``PUBLIC_ERROR_IMAGE_TOO_SMALL``.
        unsafe_word: Prompts with this word are refused with ``PUBLIC_ERROR_UNSAFE_GENERATION``; empty is off.
        filtered_word: Prompts with this word get a 200 without results; empty is off.
        latefail_word: Videos whose prompt has this word end FAILED with ``latefail_reason``; empty is off.
        latefail_reason: See ``latefail_word``.
        record_limit: Most requests kept in the record; the oldest go first.
    """

    era: Era = "2026-06"
    picture_s: float = 1.5
    picture_upscale_s: float = 3.0
    video_s: float = 12.0
    video_upscale_s: float = 12.0
    concatenation_s: float = 6.0
    pending_share: float = 0.1
    media: MediaMode = "full"
    picture_format: Literal["jpeg", "png"] = "jpeg"
    video_scale: float = 1.0
    url_lifetime_s: float = 6 * 3600.0
    upload_lifetime_s: float = 3600.0
    redirect_not_found_first: int = 0
    concatenation_answer: Literal["uri", "encoded"] = "uri"
    poll_batch_limit: int | None = None
    refuse_anti_abuse: bool = False
    max_upload_bytes: int = 20 * 1024 * 1024
    min_upload_px: int = 1
    unsafe_word: str = "unsafe"
    filtered_word: str = "filtered"
    latefail_word: str = "latefail"
    latefail_reason: str = "PUBLIC_ERROR_DANGER_FILTER"
    record_limit: int = 20_000


class ClockView(Struct, kw_only=True):
    """The simulator's time: unix seconds and how fast they pass (0 is a stopped clock, 1 real time)."""

    now: float
    speed: float


class ClockChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """Body of ``PATCH /_sim/clock``: first ``now`` is set, then ``advance_s`` added, then ``speed`` set."""

    now: float | None = None
    advance_s: float = 0.0
    speed: float | None = None


class RecordedRequest(Struct, kw_only=True):
    """One request that the simulator got.

    Attributes:
        id: Running number, from 1.
        at: When it came, in seconds of the simulator's clock.
        call: Call name, or ``unknown``.
        method: HTTP method.
        path: Path without the query.
        query: The raw query string.
        account: Id of the account that its credentials belong to; None when they are dead or missing.
        status: Status of the answer; 0 when the connection was dropped instead.
        body: The JSON body; pictures and strings over 4096 characters are replaced by ``{"size", "sha256"}`` of their
            bytes. None without one.
        idempotency_key: The ``Idempotency-Key`` header; None without one.
        via: The ``x-flow2api-via`` header, by which gateways tell the way of a request; None without one.
        authorization: First 12 hex digits of the SHA-256 of the bearer token or API key; None without one.
        cookie: The same of the session token.
        faults: Ids of the scripted faults that hit it.
        took_ms: Real milliseconds until the answer was complete.
    """

    id: int
    at: float
    call: str
    method: str
    path: str
    query: str
    account: str | None
    status: int
    body: Any
    authorization: str | None
    cookie: str | None
    faults: list[int]
    took_ms: float
    idempotency_key: str | None = None
    via: str | None = None


class AccountCounters(Struct, kw_only=True):
    """What one account was asked for and what it spent."""

    calls: dict[str, int] = field(default_factory=dict)
    peak_jobs: int = 0
    credits_spent: int = 0
    credits_returned: int = 0


class Counters(Struct, kw_only=True):
    """Sums since the start or the last reset.

    Attributes:
        calls: Requests per call name.
        submits: Generation calls that were accepted, pictures and videos.
        polls: Calls that ask for the state of videos.
        polled_operations: Operations in all those calls together.
        exchanges: Session exchanges.
        credits_spent: Credits taken at submit.
        credits_returned: Credits given back because the job failed.
        accounts: The same per account id.
    """

    calls: dict[str, int] = field(default_factory=dict)
    submits: int = 0
    polls: int = 0
    polled_operations: int = 0
    exchanges: int = 0
    credits_spent: int = 0
    credits_returned: int = 0
    accounts: dict[str, AccountCounters] = field(default_factory=dict)


class JobView(Struct, kw_only=True):
    """One video job: ``state`` is the upstream's word without its prefix (PENDING, ACTIVE, SUCCESSFUL, …)."""

    name: str
    account: str
    project: str
    kind: str
    model_key: str
    prompt: str
    state: str
    price: int
    created_at: float
    ends_at: float | None


class ReadyFile(Struct, kw_only=True):
    """What ``--ready-file`` holds once the simulator serves."""

    base_url: str
    openai_base_url: str = ""
    labs_base_url: str
    api_base_url: str
    gemini_base_url: str = ""
    accounts: list[SimAccount] = []
