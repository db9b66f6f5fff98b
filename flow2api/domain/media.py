"""Pictures and videos as things that are kept, owned and given out again."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class MediaKind(StrEnum):
    """What a model makes."""

    IMAGE = "image"
    VIDEO = "video"


class MediaRole(StrEnum):
    """Why a media is kept."""

    RESULT = "result"
    INPUT = "input"
    THUMBNAIL = "thumbnail"


CONTENT_TYPES = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "video/mp4": "mp4",
}
"""Every type that is ever served, with the suffix of its file name."""


SNIFFED_BYTES = 12
"""How many of the first bytes tell a type."""


def sniff_content_type(head: bytes) -> str | None:
    """The real type of bytes by their first dozen, or None for anything that we do not keep.

    Args:
        head: At least the first `SNIFFED_BYTES`.
    """
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return "video/mp4"
    return None


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """What a media store knows of bytes that it has just taken in.

    Attributes:
        sha256: Lower-case hex digest; the address within the store.
        head: The first 64 bytes (or fewer, when there are fewer).
    """

    sha256: str
    size_bytes: int
    head: bytes


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """What is known of a picture without trusting its name."""

    content_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One kept picture or video, with its provenance. Two media may share the same bytes.

    Attributes:
        id: Public id, unguessable, our own: never the hash of the bytes.
        key_id: The API key that owns it; None for media of the operator.
        expires_at: When retention ends; None keeps it for ever.
        upstream_name: Upstream's own id of it, good only with ``account_id`` and ``workspace``.
        upstream_extra: What else the upstream adapter needs to build on it (opaque JSON text).
        parent_id: The media that it was made from.
    """

    id: str
    key_id: int | None
    kind: MediaKind
    role: MediaRole
    content_type: str
    size_bytes: int
    sha256: str
    created_at: datetime
    expires_at: datetime | None = None
    width: int | None = None
    height: int | None = None
    generation_id: str | None = None
    parent_id: str | None = None
    prompt: str = ""
    model: str = ""
    account_id: int | None = None
    workspace: str | None = None
    upstream_name: str | None = None
    upstream_extra: str | None = None

    @property
    def file_name(self) -> str:
        """A safe name for downloads, made of the id and a suffix from the table of types."""
        return f"{self.id}.{CONTENT_TYPES[self.content_type]}"

    def is_expired(self, now: datetime) -> bool:
        """Whether retention is over."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class Retention:
    """How long media is kept. None keeps for ever."""

    image: timedelta | None = None
    video: timedelta | None = None
    input: timedelta | None = timedelta(days=1)

    def expiry(self, kind: MediaKind, role: MediaRole, now: datetime) -> datetime | None:
        """When a media made now will expire; None for never."""
        if role is MediaRole.INPUT:
            kept = self.input
        else:
            kept = self.image if kind is MediaKind.IMAGE else self.video
        return None if kept is None else now + kept
