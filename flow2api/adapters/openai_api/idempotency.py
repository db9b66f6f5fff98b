"""By what a repeated request is recognised.

The OpenAI SDKs send no ``Idempotency-Key``; their automatic repeats show only by ``x-stainless-retry-count``.
"""

import hashlib
import re

from flow2api.adapters.openai_api.body import Body, HttpRequest
from flow2api.adapters.openai_api.headers import header
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.usecases.recall_requests import Idempotency

_KEY = re.compile(r"[\x20-\x7e]{1,255}")


def idempotency_of(request: HttpRequest, body: Body, *, route: str) -> Idempotency:
    """What tells this request from others, and whether it says of itself that it is a repeat.

    Args:
        route: The same body means something else on another route.

    Raises:
        UnsupportedInputError: The key is empty, too long or not printable ASCII.
    """
    key = header(request.scope, b"idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise UnsupportedInputError("An Idempotency-Key has 1 to 255 printable ASCII characters.")
    repeats = header(request.scope, b"x-stainless-retry-count") or "0"
    return Idempotency(
        key=key,
        body_digest=hashlib.sha256(route.encode() + b"\0" + body.digest).digest(),
        is_retry=repeats.isdecimal() and len(repeats) < 10 and int(repeats) > 0,
    )
