"""One id per request, ours or the caller's, so that an answer and the log can be laid side by side."""

import random
import re
from typing import Any

_ACCEPTABLE = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{7,127}")
_STATE_KEY = "flow2api_request_id"


def request_id_of(scope: Any) -> str:
    """The id of this request; the first call decides it, later ones repeat it.

    An ``x-request-id`` of the caller is taken over only when it is harmless in headers and logs.

    Args:
        scope: The ASGI scope.
    """
    state = scope.setdefault("state", {})
    known = state.get(_STATE_KEY)
    if known is None:
        # It opens nothing, so it need not cost a call of the operating system.
        known = state[_STATE_KEY] = _given(scope["headers"]) or f"req_{random.getrandbits(128):032x}"
    return str(known)


def _given(headers: Any) -> str | None:
    for name, value in headers:
        if name == b"x-request-id":
            return value.decode("ascii") if _ACCEPTABLE.fullmatch(value) else None
    return None
