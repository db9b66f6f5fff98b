"""Pages are sent compressed, but to nobody who could learn from their length what is in them."""

import gzip
from collections.abc import Mapping

_LEVEL = 5
_WORTH_BYTES = 1024
_STRANGERS = frozenset({"cross-site", "same-site"})


def compressed(html: str, headers: Mapping[str, str]) -> bytes | None:
    """The page as gzip, or None where it has to be sent as it is.

    The length of a compressed page tells whether something that a stranger put into its address stands elsewhere in it,
    too. So a page that another site has asked for is never compressed. Browsers say so in ``Sec-Fetch-Site`` wherever
    the connection is encrypted; where it is not, lengths are no secret.

    Args:
        html: The page.
        headers: What the browser sent along, by names in lower case.
    """
    if len(html) < _WORTH_BYTES or "gzip" not in headers.get("accept-encoding", ""):
        return None
    if headers.get("sec-fetch-site", "none") in _STRANGERS:
        return None
    return gzip.compress(html.encode(), _LEVEL, mtime=0)
