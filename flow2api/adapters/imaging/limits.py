"""How much a picture may be, and what a worker process may use."""

from dataclasses import dataclass

import msgspec


class PictureLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is accepted as a picture.

    Attributes:
        max_pixels: Width times height.
    """

    max_bytes: int = 12 * 1024 * 1024
    max_pixels: int = 50_000_000
    max_side_px: int = 16_384
    min_side_px: int = 1


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """What a worker process may use.

    Attributes:
        address_space_bytes: All that it may map; converting 50 megapixels with transparency takes about 1.2 GiB.
        file_bytes: The largest video that is looked at.
        start_s: How long a fresh process may take to report.
        idle_s: How long it is kept without work.
    """

    address_space_bytes: int = 1536 * 1024 * 1024
    file_bytes: int = 512 * 1024 * 1024
    start_s: float = 20.0
    idle_s: float = 120.0
