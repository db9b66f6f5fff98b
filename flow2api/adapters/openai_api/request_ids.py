"""One id per request, ours or the caller's, so that an answer and the log can be laid side by side."""

import re
import secrets
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
        known = state[_STATE_KEY] = _given(scope["headers"]) or f"req_{secrets.token_hex(16)}"
    return str(known)


def _given(headers: Any) -> str | None:
    for name, value in headers:
        if name == b"x-request-id":
            return value.decode("ascii") if _ACCEPTABLE.fullmatch(value) else None
    return None
