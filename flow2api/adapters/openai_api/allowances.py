"""What is left to a key, in the headers by which clients learn it."""

import math

from flow2api.adapters.openai_api.cors import HeaderList
from flow2api.domain.usecases.limit_requests import Allowance


def allowance_headers(allowance: Allowance | None) -> HeaderList:
    """The ``x-ratelimit-*`` headers about requests; none where there is no limit, or nobody knows what is left."""
    if allowance is None:
        return []
    return [
        (b"x-ratelimit-limit-requests", b"%d" % allowance.limit),
        (b"x-ratelimit-remaining-requests", b"%d" % allowance.remaining),
        (b"x-ratelimit-reset-requests", duration(allowance.reset_s).encode("ascii")),
    ]


def duration(seconds: float) -> str:
    """Seconds as these headers write them, such as ``12s``, ``6m0s`` or ``3h0m12s``."""
    minutes, rest = divmod(max(math.ceil(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
