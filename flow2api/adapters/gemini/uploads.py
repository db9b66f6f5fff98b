"""Input pictures, held until they are used: the API takes them along with the words, and keeps none."""

from collections import OrderedDict
from dataclasses import dataclass
from uuid import uuid4

from flow2api.domain.errors import UpstreamNotFoundError
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access, UploadedPicture
from flow2api.domain.secret import Secret

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Held:
    owner: Secret | None
    picture: UploadedPicture
    until: float


class HeldPictures:
    """Pictures by handle, each for the key that handed it over. The oldest are forgotten when they grow too many.

    Args:
        lifetime_s: How long a handle is good.
        most_bytes: How much is held at once; a single picture may be larger.
    """

    def __init__(self, clock: Clock, *, lifetime_s: float, most_bytes: int = 128 * MIB) -> None:
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._most_bytes = most_bytes
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._bytes = 0

    def hold(self, access: Access, picture: UploadedPicture) -> str:
        """Keep a picture for a while; returns its handle."""
        self._forget_what_is_over()
        while self._held and self._bytes + len(picture.data) > self._most_bytes:
            self._forget(next(iter(self._held)))
        handle = uuid4().hex
        self._held[handle] = _Held(access.access_token, picture, self._clock.monotonic() + self._lifetime_s)
        self._bytes += len(picture.data)
        return handle

    def find(self, access: Access, handle: str) -> UploadedPicture:
        """The picture.

        Raises:
            UpstreamNotFoundError: It was forgotten, or is another key's; hand it over again.
        """
        self._forget_what_is_over()
        held = self._held.get(handle)
        if held is None or held.owner != access.access_token:
            raise UpstreamNotFoundError("The input picture is not held any more; it has to be handed over again.")
        return held.picture

    def _forget_what_is_over(self) -> None:
        now = self._clock.monotonic()
        while self._held and next(iter(self._held.values())).until <= now:
            self._forget(next(iter(self._held)))

    def _forget(self, handle: str) -> None:
        self._bytes -= len(self._held.pop(handle).picture.data)
