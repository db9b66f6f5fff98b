"""Cross-origin rules of the client API: any origin, never credentials.

A page can use a key that its user gave it on purpose; a cookie never works here, so there is nothing to protect from
foreign origins.
"""

import re
from collections.abc import Iterable

HeaderList = list[tuple[bytes, bytes]]

# `*` covers no authorization header, and older browsers know no `*` here at all: every usual header is named.
_USUAL_REQUEST_HEADERS = (
    "authorization, content-type, accept, api-key, x-api-key, idempotency-key, x-request-id, openai-beta, "
    "openai-organization, openai-project, x-stainless-arch, x-stainless-async, x-stainless-custom-poll-interval, "
    "x-stainless-helper-method, x-stainless-lang, x-stainless-os, x-stainless-package-version, "
    "x-stainless-poll-helper, x-stainless-read-timeout, x-stainless-retry-count, x-stainless-runtime, "
    "x-stainless-runtime-version, x-stainless-timeout, range, if-range"
)
_USUAL = frozenset(_USUAL_REQUEST_HEADERS.split(", "))
_TOKEN = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,64}")
_MOST_EXTRA_HEADERS = 32

_READABLE_HEADERS = (
    "x-request-id, retry-after, retry-after-ms, x-should-retry, openai-processing-ms, openai-version, "
    "openai-poll-after-ms, x-flow2api-warnings, idempotency-replayed, content-disposition, content-range, "
    "accept-ranges, etag, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests"
)

ANSWER_HEADERS: HeaderList = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", _READABLE_HEADERS.encode("ascii")),
]
"""What every answer carries, errors included."""


def preflight_headers(request_headers: Iterable[tuple[bytes, bytes]]) -> HeaderList:
    """What a preflight is answered with, whatever it asks for: no key is needed to learn the rules."""
    asked = next((value for name, value in request_headers if name == b"access-control-request-headers"), b"")
    names = [name.strip() for name in asked.decode("latin-1").lower().split(",", _MOST_EXTRA_HEADERS)]
    extra = [name for name in names[:_MOST_EXTRA_HEADERS] if name not in _USUAL and _TOKEN.fullmatch(name)]
    return [
        (b"access-control-allow-origin", b"*"),
        (b"access-control-allow-methods", b"GET, HEAD, POST, DELETE, OPTIONS"),
        (b"access-control-allow-headers", ", ".join([_USUAL_REQUEST_HEADERS, *extra]).encode("ascii")),
        (b"access-control-max-age", b"86400"),
        (b"vary", b"access-control-request-headers"),
        (b"content-length", b"0"),
    ]
