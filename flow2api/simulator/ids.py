"""Identifiers in the form of a wire era (Flow, 2025-11 to 2026-06)."""

import base64
import uuid

from flow2api.simulator.control_schema import Era

UPLOADED, PICTURE, VIDEO = b"\x08\x03\x1a", b"\x08\x03\x12", b"\x08\x05\x12"
"""First bytes of an opaque id: in base64 they read CAMa, CAMS and CAUS."""


def new_uuid() -> str:
    """A random UUID v4 as text."""
    return str(uuid.uuid4())


def media_name(era: Era, kind: bytes, project: str, media_uuid: str) -> str:
    """The id by which clients name a media: opaque in the seed era, the bare UUID later."""
    if era != "seed":
        return media_uuid
    parts = (kind, b"$", (project or media_uuid).encode(), b"\x22\x03CAE*$", media_uuid.encode())
    return base64.urlsafe_b64encode(b"".join(parts)).decode().rstrip("=")


def operation_name(era: Era, media_uuid: str) -> str:
    """The handle of a running job: 32 hex digits of its own in the seed era, the media's id later."""
    return uuid.uuid4().hex if era == "seed" else media_uuid
