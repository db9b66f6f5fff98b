"""What was uploaded and made: its ids, its owner, and the signed links to its bytes."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, urlencode

from flow2api.simulator.accounts import Account
from flow2api.simulator.control_schema import Era
from flow2api.simulator.errors import CallError

PICTURE_SIZES = {
    "LANDSCAPE": (1376, 768),
    "PORTRAIT": (768, 1376),
    "SQUARE": (1024, 1024),
    "LANDSCAPE_FOUR_THREE": (1184, 864),
    "PORTRAIT_THREE_FOUR": (864, 1184),
}
"""Sizes of generated pictures (Flow, 2026-02 era: the first two are captured)."""
VIDEO_SIZES = {"LANDSCAPE": (1280, 720), "PORTRAIT": (720, 1280)}
KEPT_UPLOAD_BYTES = 256 * 1024 * 1024
KEPT_ITEMS = 200_000


@dataclass(slots=True, eq=False)
class MediaItem:
    """One media and how to draw it.

    Attributes:
        key: Its UUID, which its links name.
        name: The id by which clients name it.
        ratio: Aspect ratio without its prefix.
        expires_at: When it can no longer be used as an input; None is never.
        ready_at: When its bytes can be had; infinity when the job failed or is stuck.
        sources: Media that went into it.
        role: What the sources are: pictures to refer to, frames to begin and end with, a video to go on from (extend),
            to enlarge (upscale) or to put together (join).
        clip_s: For a joined video, the length of each source that is used.
        content: The bytes of an upload.
    """

    key: str
    name: str
    account: Account
    project: str
    kind: Literal["upload", "picture", "video"]
    created_at: float
    prompt: str = ""
    model: str = ""
    seed: int = 0
    ratio: str = "LANDSCAPE"
    width: int = 0
    height: int = 0
    seconds: float = 0.0
    expires_at: float | None = None
    ready_at: float = 0.0
    sources: "tuple[MediaItem, ...]" = ()
    role: Literal["references", "frames", "extend", "upscale", "join"] = "references"
    clip_s: tuple[float, ...] = ()
    content: bytes = b""
    mime_type: str = ""
    not_found_left: int = 0


@dataclass(slots=True)
class Library:
    """All media by name and by key. The oldest uploads lose their bytes when they grow too many."""

    items: dict[str, MediaItem] = field(default_factory=dict)
    upload_bytes: int = 0
    _uploads: list[MediaItem] = field(default_factory=list)

    def add(self, item: MediaItem) -> MediaItem:
        """Keeps an item."""
        self.items[item.name] = self.items[item.key] = item
        if item.content:
            self._uploads.append(item)
            self.upload_bytes += len(item.content)
            while self.upload_bytes > KEPT_UPLOAD_BYTES and len(self._uploads) > 1:
                oldest = self._uploads.pop(0)
                self.upload_bytes -= len(oldest.content)
                oldest.content = b""
        while len(self.items) > KEPT_ITEMS:
            del self.items[next(iter(self.items))]
        return item

    def owned(self, name: str, account: Account, project: str | None, era: Era, now: float) -> MediaItem:
        """An item that an account may use as an input.

        Args:
            name: Its id.
            account: Who asks.
            project: The project of the call; from the 2026 eras on it must be the item's own. None is any.
            era: The wire era.
            now: An upload may have expired by then.

        Raises:
            CallError: 404, for all of: unknown, foreign, of another project, expired, not made yet.
        """
        item = self.items.get(name)
        if item is None or item.account is not account or item.ready_at > now:
            raise CallError(404)
        if item.expires_at is not None and now > item.expires_at:
            raise CallError(404)
        if era != "seed" and project and item.project and item.project != project:
            raise CallError(404)
        return item

    def remove(self, name: str, account: Account) -> None:
        """Forgets an item of that account; others are left alone."""
        item = self.items.get(name)
        if item is not None and item.account is account:
            self.items.pop(item.name, None)
            self.items.pop(item.key, None)


class MediaLinks:
    """Links of our own to media bytes, signed and with an end, in the two forms of the upstream."""

    def __init__(self, base_url: str = "http://127.0.0.1") -> None:
        self.base_url = base_url
        self._secret = secrets.token_bytes(32)

    def storage(self, folder: Literal["image", "video"], key: str, expires: float) -> str:
        """The form of the storage bucket (pictures always, videos in the seed era)."""
        path = f"/ai-sandbox-videofx/{folder}/{quote(key)}"
        end = str(int(expires))
        query = {"GoogleAccessId": "simulator", "Expires": end, "Signature": self._sign(path, end)}
        return f"{self.base_url}{path}?{urlencode(query)}"

    def content(self, folder: Literal["video", "image"], key: str, expires: float) -> str:
        """The form that the redirect route points to (2026-05 on)."""
        path = f"/flow-content/{folder}/{quote(key)}"
        end = str(int(expires))
        return f"{self.base_url}{path}?Expires={end}&KeyName=labs-flow-prod-cdn-key&Signature={self._sign(path, end)}"

    def refusal(self, path: str, arguments: Mapping[str, str], now: float) -> str:
        """Why a link is not good; empty when it is."""
        end = arguments.get("Expires", "")
        if not hmac.compare_digest(arguments.get("Signature", ""), self._sign(path, end)):
            return "SignatureDoesNotMatch"
        return "" if now <= float(end) else "ExpiredToken"

    def _sign(self, path: str, end: str) -> str:
        return hmac.new(self._secret, f"{path}?{end}".encode(), hashlib.sha256).hexdigest()
