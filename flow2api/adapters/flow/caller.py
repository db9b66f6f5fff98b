"""Calls of the two bases in the name of an account; whatever is no success becomes an error of the tree."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from flow2api.adapters.flow.base64_field import Base64Field
from flow2api.adapters.flow.drift import DriftLog
from flow2api.adapters.flow.errors import dead_credential, inner_failure, refusal
from flow2api.adapters.flow.payloads import Post
from flow2api.adapters.flow.responses import trpc_status
from flow2api.domain.errors import Flow2ApiError, UpstreamDriftError, UpstreamInvalidError
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import MIB, Answer, Call, Transport

T = TypeVar("T")

LABS_BASE_URL = "https://labs.google/fx/api"
API_BASE_URL = "https://aisandbox-pa.googleapis.com/v1"
SESSION_COOKIE = "__Secure-next-auth.session-token"
JSON_LIMIT_BYTES = 8 * MIB
BASE64_LIMIT_BYTES = 64 * MIB
_ERROR_LIMIT_BYTES = 64 * 1024
_TOKEN = re.compile(r"[!#-+\--:<-\[\]-~]+")
"""What may stand in a header for a token: printable ASCII without blank, quote, comma, semicolon and backslash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """How long calls may take, in seconds.

    Attributes:
        connect_s: Until a connection stands.
        short_s: The exchange, credits, a project, a deletion.
        media_s: One whole download.
        media_idle_s: How long a download may stand still.
    """

    connect_s: float = 10.0
    short_s: float = 15.0
    upload_s: float = 60.0
    picture_s: float = 120.0
    enlarge_s: float = 300.0
    submit_s: float = 75.0
    poll_s: float = 45.0
    media_s: float = 900.0
    media_idle_s: float = 30.0


class Caller:
    """Makes calls; the tokens are shown to the two configured bases only.

    Args:
        labs_base_url: Ends in ``/fx/api``.
        api_base_url: Ends in ``/v1``.
    """

    def __init__(
        self, transport: Transport, clock: Clock, *, labs_base_url: str, api_base_url: str, limits: TimeLimits
    ) -> None:
        self.labs_base_url = labs_base_url
        self.limits = limits
        self.drift = DriftLog()
        self._api_base_url = api_base_url
        self._transport = transport
        self._clock = clock

    async def post(self, access: Access, post: Post, *, timeout_s: float, never_repeat: bool = False) -> bytes:
        """POST to the API base; returns the body of a success."""
        call = self._api_call(access, post.path, post.body, timeout_s=timeout_s, never_repeat=never_repeat)
        return self._accepted(call, await self._transport.request(call, access.proxy))

    async def get(self, access: Access, path: str) -> bytes:
        """GET from the API base; returns the body of a success."""
        call = self._api_call(access, path, None, timeout_s=self.limits.short_s)
        return self._accepted(call, await self._transport.request(call, access.proxy))

    async def post_labs(self, access: Access, path: str, body: bytes) -> bytes:
        """POST to the labs base; returns the body of a success, inside and outside."""
        call = self.labs_call(path, access.session_token, body)
        answer = await self._transport.request(call, access.proxy)
        accepted = self._accepted(call, answer, by_session=True)
        status = self.read(call.url, trpc_status, accepted)
        if status >= 400:
            raise inner_failure(status)
        return accepted

    async def ask_labs(self, path: str, session_token: Secret | None, proxy: Secret | None) -> Answer:
        """GET from the labs base; returns the answer, whatever it is."""
        return await self._transport.request(self.labs_call(path, session_token, None), proxy)

    @asynccontextmanager
    async def stream_media(
        self, access: Access, path: str, body: bytes | None, *, timeout_s: float
    ) -> AsyncIterator[tuple[Base64Field, AsyncIterator[bytes]]]:
        """A call of the API base whose success holds media as base64 text.

        Yields:
            The field, whose rest can be read in the end, and the chunks of the media, decoded.
        """
        call = self._api_call(access, path, body, timeout_s=timeout_s, is_streamed=True, limit_bytes=BASE64_LIMIT_BYTES)
        async with self._transport.stream(call, access.proxy) as (head, chunks):
            if head.status != 200:
                raise self.refusal(call, Answer(head.status, head.head, await beginning(chunks)))
            field = Base64Field()
            yield field, _decoded(field, chunks)

    def refusal(self, call: Call, answer: Answer, *, by_session: bool = False) -> Flow2ApiError:
        """The error for an answer that is not a success; a change of the protocol is logged."""
        error = refusal(answer, now=self._clock.now(), by_session=by_session)
        if isinstance(error, UpstreamDriftError):
            self.drift.refused(_place(call.url), error)
        return error

    def read(self, place: str, reader: Callable[[bytes], T], body: bytes) -> T:
        """What a reader makes of a body; one that it cannot read is logged by its shape.

        Raises:
            UpstreamInvalidError: It cannot be read.
        """
        try:
            return reader(body)
        except UpstreamInvalidError:
            self.drift.unreadable(_place(place), body)
            raise

    def labs_call(self, path: str, session_token: Secret | None, body: bytes | None) -> Call:
        """A call of the labs base.

        Raises:
            CredentialRevokedError: The session token is none.
        """
        cookie = f"Cookie: {SESSION_COOKIE}={_shown(session_token, by_session=True)}"
        return Call(
            url=self.labs_base_url + path,
            headers=_headers(cookie, body),
            body=body,
            timeout_s=self.limits.short_s,
            connect_timeout_s=self.limits.connect_s,
            limit_bytes=JSON_LIMIT_BYTES,
        )

    def _api_call(
        self,
        access: Access,
        path: str,
        body: bytes | None,
        *,
        timeout_s: float,
        never_repeat: bool = False,
        is_streamed: bool = False,
        limit_bytes: int = JSON_LIMIT_BYTES,
    ) -> Call:
        return Call(
            url=self._api_base_url + path,
            headers=_headers(f"Authorization: Bearer {_shown(access.access_token, by_session=False)}", body),
            body=body,
            timeout_s=timeout_s,
            connect_timeout_s=self.limits.connect_s,
            limit_bytes=limit_bytes,
            is_streamed=is_streamed,
            never_repeat=never_repeat,
        )

    def _accepted(self, call: Call, answer: Answer, *, by_session: bool = False) -> bytes:
        if answer.status == 200:
            return answer.body
        raise self.refusal(call, answer, by_session=by_session)


async def beginning(chunks: AsyncIterator[bytes]) -> bytes:
    """The first 64 KiB of what comes."""
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) >= _ERROR_LIMIT_BYTES:
            break
    return bytes(body)


async def _decoded(field: Base64Field, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        if media := field.feed(chunk):
            yield media


def _headers(secret: str, body: bytes | None) -> list[bytes]:
    lines = [secret.encode("ascii")]
    # libcurl asks before it sends a large body; the extra round trip gains nothing here.
    return lines if body is None else [*lines, b"Content-Type: application/json", b"Expect:"]


def _shown(token: Secret | None, *, by_session: bool) -> str:
    """A token as it goes into a header.

    Raises:
        CredentialError: There is none, or it holds characters that no token has.
    """
    text = "" if token is None else token.reveal()
    if not _TOKEN.fullmatch(text):
        raise dead_credential(by_session=by_session)
    return text


def _place(url: str) -> str:
    """The end of an address that names the call, without ids."""
    path = url.partition("?")[0].rstrip("/")
    return path.rpartition("/")[2][-60:]
