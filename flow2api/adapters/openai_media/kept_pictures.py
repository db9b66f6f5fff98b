"""Input pictures that wait to go out along with a request, in a memory with an end."""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from flow2api.domain.errors import UpstreamNotFoundError
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access, UploadedPicture


@dataclass(frozen=True, slots=True)
class _Kept:
    """A picture, and until when it is kept (monotonic seconds)."""

    picture: UploadedPicture
    until: float


class KeptPictures:
    """Holds pictures by handle. An account knows only its own handles.

    Args:
        lifetime_s: How long a handle is good for at most.
        limit_bytes: How much is held; the pictures that were not used for longest go first.
    """

    def __init__(self, clock: Clock, *, lifetime_s: float, limit_bytes: int) -> None:
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._limit_bytes = limit_bytes
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self.held_bytes = 0

    def keep(self, access: Access, picture: UploadedPicture) -> str:
        """Hold a picture; the same one of the same account has the same handle."""
        handle = f"{_owner(access)}-{hashlib.sha256(picture.data).hexdigest()[:32]}"
        self._drop(handle)
        self._kept[handle] = _Kept(picture, self._clock.monotonic() + self._lifetime_s)
        self.held_bytes += len(picture.data)
        while self.held_bytes > self._limit_bytes and len(self._kept) > 1:
            self._drop(next(iter(self._kept)))
        return handle

    def get(self, access: Access, handle: str) -> UploadedPicture:
        """The picture behind a handle.

        Raises:
            UpstreamNotFoundError: It was forgotten, or is another account's; it has to be uploaded again.
        """
        kept = self._kept.get(handle) if handle.startswith(f"{_owner(access)}-") else None
        if kept is None or self._clock.monotonic() >= kept.until:
            raise UpstreamNotFoundError("The input picture is not held any more.")
        self._kept.move_to_end(handle)
        return kept.picture

    def _drop(self, handle: str) -> None:
        kept = self._kept.pop(handle, None)
        if kept is not None:
            self.held_bytes -= len(kept.picture.data)


def _owner(access: Access) -> str:
    """Names the account and its key; a new key is a new owner."""
    key = b"" if access.access_token is None else access.access_token.fingerprint()
    return f"{access.account_id}-{key.hex()[:16]}"
