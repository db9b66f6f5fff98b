"""Calls of an account's host; whatever is no success becomes an error of the tree."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import uuid4

from flow2api.adapters.openai_media.errors import refusal
from flow2api.adapters.openai_media.form import Body
from flow2api.adapters.openai_media.hosts import plain_base
from flow2api.domain.errors import AccountUnusableError, CredentialRevokedError, Flow2ApiError
from flow2api.domain.gateway_hops import HOPS
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import MIB, Answer, Call, Transport

JSON_LIMIT_BYTES = 1 * MIB
PICTURE_LIMIT_BYTES = 48 * MIB
"""Of an answer for each picture that is in it: 3840x2160, as PNG, in base64 text, with some room."""

PICTURES_LIMIT_BYTES = 128 * MIB
VIA = "x-flow2api-via"
"""The header that names the gateways which a request has come through."""

_KEY = re.compile(r"[!-~]{1,4096}")
"""What may stand in a header for a key: printable ASCII without blanks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """How long calls may take, in seconds.

    Attributes:
        connect_s: Until a connection stands.
        short_s: Listing models, the state of a video.
        picture_s: One request for pictures.
        submit_s: Beginning a video.
        media_s: One whole download.
        media_idle_s: How long a download may stand still.
    """

    connect_s: float = 10.0
    short_s: float = 30.0
    picture_s: float = 300.0
    submit_s: float = 120.0
    media_s: float = 900.0
    media_idle_s: float = 30.0


class Caller:
    """Makes calls; the key of an account is shown to the account's own host only."""

    def __init__(self, transport: Transport, clock: Clock, limits: TimeLimits) -> None:
        self.limits = limits
        self._transport = transport
        self._clock = clock

    async def get(self, access: Access, path: str) -> bytes:
        """The body of a success."""
        call = Call(
            url=base_of(access) + path,
            headers=self.headers(access),
            timeout_s=self.limits.short_s,
            connect_timeout_s=self.limits.connect_s,
            limit_bytes=JSON_LIMIT_BYTES,
        )
        return self._accepted(await self._transport.request(call, access.proxy))

    async def post(
        self,
        access: Access,
        path: str,
        body: Body,
        *,
        timeout_s: float,
        limit_bytes: int = JSON_LIMIT_BYTES,
        spends: bool,
    ) -> bytes:
        """The body of a success. What spends goes out once, whatever becomes of the connection."""
        call = Call(
            url=base_of(access) + path,
            headers=[
                *self.headers(access),
                b"Accept: application/json",
                b"Content-Type: " + body.content_type.encode("ascii"),
                b"Idempotency-Key: flow2api-" + uuid4().hex.encode("ascii"),
                b"Expect:",  # libcurl asks before it sends a large body; the extra round trip gains nothing here
            ],
            body=body.content,
            timeout_s=timeout_s,
            connect_timeout_s=self.limits.connect_s,
            limit_bytes=limit_bytes,
            never_repeat=spends,
        )
        return self._accepted(await self._transport.request(call, access.proxy))

    def headers(self, access: Access) -> list[bytes]:
        """What a call that only asks carries."""
        return [_authorization(access.access_token), *_hops()]

    def refusal(self, answer: Answer) -> Flow2ApiError:
        """The error for an answer that is not a success."""
        return refusal(answer, now=self._clock.now())

    def _accepted(self, answer: Answer) -> bytes:
        if answer.status in (200, 201, 202):
            return answer.body
        raise self.refusal(answer)


def base_of(access: Access) -> str:
    """The base URL of an account.

    Raises:
        AccountUnusableError: It has none, or one that cannot be used.
    """
    base = plain_base(access.base_url)
    if base is None:
        raise AccountUnusableError("The account has no base URL that can be used; give it the one of its host.")
    return base


def _authorization(key: Secret | None) -> bytes:
    text = "" if key is None else key.reveal()
    if not _KEY.fullmatch(text):
        raise CredentialRevokedError("The account has no API key that can be sent; give it a new one.")
    return f"Authorization: Bearer {text}".encode("ascii")


def _hops() -> Sequence[bytes]:
    hops = HOPS.get()
    return [f"{VIA}: {', '.join(hops)}".encode("ascii")] if hops else []
