"""Through which gateways a request has come, so that gateways that are chained never ask each other in a circle."""

import re
from contextvars import ContextVar

from flow2api.domain.errors import GatewayLoopError

MOST_HOPS = 8

HOPS: ContextVar[tuple[str, ...]] = ContextVar("gateway_hops", default=())
"""The gateways that the request at hand has come through, with this one as the last."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


def hops_with(own: str, told: str | None) -> tuple[str, ...]:
    """The way of a request, now that it has come here.

    Args:
        own: The name of this gateway.
        told: What the request says about its way: names, the first one first, separated by commas; None when it says nothing.

    Raises:
        GatewayLoopError: It was here before, it has come through too many, or what it says cannot be read.
    """
    if told is None:
        return (own,)
    hops = tuple(name.strip() for name in told.split(","))
    if own in hops or len(hops) >= MOST_HOPS or not all(_NAME.fullmatch(name) for name in hops):
        raise GatewayLoopError
    return (*hops, own)
