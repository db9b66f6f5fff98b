"""Calls in the name of a key; whatever is no success becomes an error of the tree."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from flow2api.adapters.gemini.errors import dead_key, refusal
from flow2api.domain.errors import UpstreamDriftError
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import MIB, Answer, Call, Transport

log = logging.getLogger(__name__)

BASE_URL = "https://generativelanguage.googleapis.com"
API_VERSION = "v1beta"
JSON_LIMIT_BYTES = 8 * MIB
PICTURE_LIMIT_BYTES = 96 * MIB
"""Of an answer that holds pictures: 4K, as PNG, in base64 text."""

MEDIA_LIMIT_BYTES = 512 * MIB
_KEY = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """How long calls may take, in seconds.

    Attributes:
        connect_s: Until a connection stands.
        short_s: The list of models.
        media_s: One whole download.
        media_idle_s: How long a download may stand still.
    """

    connect_s: float = 10.0
    short_s: float = 15.0
    picture_s: float = 120.0
    submit_s: float = 75.0
    poll_s: float = 45.0
    media_s: float = 900.0
    media_idle_s: float = 30.0


class Caller:
    """Makes calls. The key is shown in a header, and to the configured base only.

    Args:
        base_url: Without the version.
        version: ``v1`` or ``v1beta``.
    """

    def __init__(self, transport: Transport, clock: Clock, *, base_url: str, version: str, limits: TimeLimits) -> None:
        self.limits = limits
        self.base = f"{base_url}/{version}"
        self._transport = transport
        self._clock = clock
        self._drifted: set[str] = set()

    async def post(
        self, key: Secret | None, path: str, body: bytes, proxy: Secret | None, *, timeout_s: float, limit_bytes: int
    ) -> bytes:
        """POST what asks for media; returns the body of a success.

        Each such call is paid for: it is sent once, whatever becomes of the connection.
        """
        call = Call(
            url=self.base + path,
            headers=[shown(key), b"Content-Type: application/json", b"Expect:"],
            body=body,
            timeout_s=timeout_s,
            connect_timeout_s=self.limits.connect_s,
            limit_bytes=limit_bytes,
            never_repeat=True,
        )
        return self._accepted(path, await self._transport.request(call, proxy), names_model=True)

    async def get(
        self,
        key: Secret | None,
        path: str,
        proxy: Secret | None,
        *,
        timeout_s: float,
        limit_bytes: int = JSON_LIMIT_BYTES,
    ) -> bytes:
        """GET something; returns the body of a success."""
        call = Call(
            url=self.base + path,
            headers=[shown(key)],
            timeout_s=timeout_s,
            connect_timeout_s=self.limits.connect_s,
            limit_bytes=limit_bytes,
        )
        return self._accepted(path, await self._transport.request(call, proxy), names_model=False)

    @asynccontextmanager
    async def stream(
        self, address: str, key: Secret | None, proxy: Secret | None
    ) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        """GET media; the answer may be anything.

        Args:
            key: Shown if there is one.
        """
        call = Call(
            url=address,
            headers=[] if key is None else [shown(key)],
            timeout_s=self.limits.media_s,
            connect_timeout_s=self.limits.connect_s,
            idle_timeout_s=self.limits.media_idle_s,
            limit_bytes=MEDIA_LIMIT_BYTES,
            is_streamed=True,
        )
        async with self._transport.stream(call, proxy) as opened:
            yield opened

    def refused(self, answer: Answer) -> Exception:
        """The error for an answer to `stream` that is no success."""
        return refusal(answer, now=self._clock.now(), names_model=False)

    def _accepted(self, path: str, answer: Answer, *, names_model: bool) -> bytes:
        if answer.status == 200:
            return answer.body
        error = refusal(answer, now=self._clock.now(), names_model=names_model)
        if isinstance(error, UpstreamDriftError):
            self._tell_drift(path.partition("?")[0].rpartition(":")[2], error)
        raise error

    def _tell_drift(self, call: str, error: UpstreamDriftError) -> None:
        """Log that a kind of call is not understood any more, once: every request would meet it."""
        if call not in self._drifted:
            self._drifted.add(call)
            log.warning("the Gemini API has changed", extra={"call": call, "reason": error.message})


def shown(key: Secret | None) -> bytes:
    """The header line of a key.

    Raises:
        CredentialRevokedError: There is none, or it holds characters that no key has.
    """
    text = "" if key is None else key.reveal()
    if not _KEY.fullmatch(text):
        raise dead_key("it is none")
    return f"x-goog-api-key: {text}".encode("ascii")
