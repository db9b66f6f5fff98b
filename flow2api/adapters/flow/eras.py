"""The wire eras that can be spoken, by the name by which the setting ``era`` chooses one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from flow2api.adapters.flow import era_2026_06, era_seed
from flow2api.adapters.flow.model_wire import ModelWire
from flow2api.adapters.flow.payloads import Post, Stamp
from flow2api.adapters.flow.responses import PolledItem, Submitted
from flow2api.domain.generation import Order
from flow2api.domain.ports.upstream import UploadedPicture

POLL_PATH = "/video:batchCheckAsyncVideoGenerationStatus"


class Era(Protocol):
    """What differs from era to era: a pure module.

    Attributes:
        NAME: How the setting and the keys of models call it.
        MAKES_ENLARGEMENTS: Whether it can enlarge and extend what was made.
        LARGEST_SEED: Seeds run from 1 to this.
    """

    NAME: str
    MAKES_ENLARGEMENTS: bool
    LARGEST_SEED: int

    def upload(self, picture: UploadedPicture, stamp: Stamp) -> Post: ...

    def pictures(self, order: Order, wire: ModelWire, stamp: Stamp) -> Post: ...

    def video(self, order: Order, wire: ModelWire, stamp: Stamp) -> Post: ...

    def submitted(self, body: bytes) -> Submitted | None: ...

    def poll(self, items: Sequence[bytes]) -> bytes: ...

    def polled(self, body: bytes) -> Iterable[PolledItem]: ...


ERAS: Mapping[str, Era] = {era_seed.NAME: era_seed, era_2026_06.NAME: era_2026_06}
LATEST = era_2026_06.NAME
