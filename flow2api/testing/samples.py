"""Whole things to put into a storage: for each kind one of which no field has its default, and plain ones by name."""

from datetime import UTC, datetime, timedelta

from flow2api.domain.account import Account, CallKind, Capacity, Credentials, Rest, RestReason, Streak, Tier
from flow2api.domain.api_key import ApiKey
from flow2api.domain.choice import Choice
from flow2api.domain.generation import (
    FailedAttempt,
    Fault,
    Generation,
    Input,
    InputRole,
    Operation,
    Passage,
    Phase,
    Stage,
    State,
)
from flow2api.domain.media import Media, MediaKind, MediaRole
from flow2api.domain.operator import Operator, Role
from flow2api.domain.secret import Secret

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)


def whole_account() -> Account:
    """An account of which no field has its default."""
    return Account(
        id=0,
        upstream="flow",
        name="Ärger & Söhne",
        created_at=NOW,
        email="someone@example.org",
        remark="lent until May",
        tier=Tier.ULTRA,
        credits=12_500,
        capacity=Capacity(image=4, video=0),
        tags=frozenset({"b", "a"}),
        weight=7,
        priority=3,
        proxy="frankfurt",
        base_url="https://media.example.org/v1",
        workspace="5f2b8c1e",
        workspace_name="Mugs & Söhne",
        access_expires_at=NOW + timedelta(hours=1),
        access_obtained_at=NOW,
        rests=(
            Rest(RestReason.MANUAL, NOW),
            Rest(RestReason.RATE_LIMITED, NOW, NOW + timedelta(seconds=90), "veo", "slow down", 2),
        ),
        streaks=(Streak(CallKind.UPLOAD, 2), Streak(None, 1)),
    )


def account_of(name: str) -> Account:
    """A plain account of this name."""
    return Account(id=0, upstream="flow", name=name, created_at=NOW)


def credentials_of(name: str) -> Credentials:
    """The session token of the account of this name."""
    return Credentials(Secret(f"session-token-of-{name}"))


def whole_generation() -> Generation:
    """A generation of which no field has its default."""
    return Generation(
        id="video_whole",
        key_id=3,
        kind=MediaKind.VIDEO,
        model="asked",
        spec_name="asked-landscape",
        prompt="a\nprompt with 'quotes' and \N{SNOWMAN}",
        created_at=NOW,
        group_id="req_whole",
        door="videos",
        inputs=(Input("med_1", InputRole.START), Input("med_2", InputRole.END)),
        count=2,
        seed=2**40,
        size="1280x720",
        seconds=8,
        warnings=("rounded", 'with "quotes"'),
        parent_id="video_before",
        state=State.RUNNING,
        phase=Phase.POLLING,
        stage=Stage.ENLARGE,
        progress=42,
        account_id=9,
        workspace="5f2b8c1e",
        operation=Operation("operations/1", '{"scene": 1}'),
        made='{"name": "x"}',
        results=("med_3", "med_4"),
        fault=Fault("upstream_error", "A sentence."),
        started_at=NOW,
        ended_at=NOW + timedelta(seconds=1),
        expires_at=NOW + timedelta(days=7),
        deleted_at=NOW + timedelta(days=8),
        owner="process-1",
        lease_until=NOW + timedelta(seconds=45),
        fence=5,
        rescues=1,
        attempts=6,
        choice=Choice("sticky", 3, {"busy": 2}, "it was free", 4, 1200),
        body_digest=b"\x02" * 32,
        passages=(Passage(Phase.UPLOADING, 4), Passage(Phase.SUBMITTING, 900)),
        failed_attempts=(FailedAttempt(8, 3, 700, Phase.UPLOADING, "upstream_error", "It did not answer."),),
    )


def generation_of(name: str, *, kind: MediaKind = MediaKind.VIDEO, after_s: float = 0) -> Generation:
    """A plain generation of the key 1."""
    return Generation(
        id=name,
        key_id=1,
        kind=kind,
        model="m",
        spec_name="m",
        prompt="p",
        created_at=NOW + timedelta(seconds=after_s),
        group_id=f"req_{name}",
    )


def whole_media() -> Media:
    """A media of which no field has its default."""
    return Media(
        id="med_whole",
        key_id=3,
        kind=MediaKind.IMAGE,
        role=MediaRole.THUMBNAIL,
        content_type="image/webp",
        size_bytes=5 * 2**30,
        sha256="ab" * 32,
        created_at=NOW,
        expires_at=NOW + timedelta(days=7),
        width=1344,
        height=768,
        generation_id="gen_1",
        parent_id="med_0",
        prompt="p",
        model="m",
        account_id=9,
        workspace="5f2b8c1e",
        upstream_name="name",
        upstream_extra='{"a": 1}',
    )


def media_of(name: str, *, sha256: str = "00" * 32, expires_at: datetime | None = None) -> Media:
    """A plain kept picture."""
    return Media(
        id=name,
        key_id=1,
        kind=MediaKind.IMAGE,
        role=MediaRole.RESULT,
        content_type="image/png",
        size_bytes=1,
        sha256=sha256,
        created_at=NOW,
        expires_at=expires_at,
    )


def key_of(name: str, digest: bytes = b"") -> ApiKey:
    """A plain API key; its digest begins as its name does, or with what is given."""
    return ApiKey(
        id=0, name=name, prefix="f2a_abcdef", digest=(digest or name.encode()).ljust(32, b"."), created_at=NOW
    )


def operator_of(name: str, role: Role = Role.OPERATOR) -> Operator:
    """A plain operator of this name."""
    return Operator(
        id=0,
        name=name,
        role=role,
        passphrase_hash=Secret(f"$argon2id$of {name}"),
        stamp=f"stamp of {name}",
        created_at=NOW,
        passphrase_changed_at=NOW + timedelta(seconds=1),
    )
