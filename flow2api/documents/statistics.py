"""Figures as JSON."""

import msgspec

from flow2api.domain.statistics import Counts


class CountsView(msgspec.Struct, frozen=True, kw_only=True):
    """Figures.

    Attributes:
        success_rate: 0 to 1; null when nothing has ended.
        mean_s: Of generations that ended well, waiting included; null when there was none. So are the next two.
    """

    images: int
    videos: int
    succeeded: int
    errors: int
    cancelled: int
    refused: int
    success_rate: float | None
    mean_s: float | None
    p50_s: float | None
    p95_s: float | None


def counts_view(counts: Counts) -> CountsView:
    """Figures as they are shown."""
    return CountsView(
        images=counts.images,
        videos=counts.videos,
        succeeded=counts.succeeded,
        errors=counts.errors,
        cancelled=counts.cancelled,
        refused=counts.refused,
        success_rate=counts.success_rate,
        mean_s=counts.mean_s,
        p50_s=counts.percentile_s(0.5),
        p95_s=counts.percentile_s(0.95),
    )
