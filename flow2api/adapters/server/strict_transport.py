"""Has browsers that came over TLS never come without it again."""

from collections.abc import Sequence
from functools import lru_cache

_DAY_S = 24 * 3600


@lru_cache(maxsize=64)
def strict_transport(came_by: str, days: int) -> Sequence[tuple[bytes, bytes]]:
    """What an answer says for that, as headers; nothing where it came over plain http, which browsers would not believe.

    Other hosts of the domain are left alone.

    Args:
        came_by: The address by which the request came.
        days: How long browsers keep to it; 0 has nothing said.
    """
    if days <= 0 or not came_by.startswith("https://"):
        return ()
    return ((b"strict-transport-security", b"max-age=%d" % (days * _DAY_S)),)
