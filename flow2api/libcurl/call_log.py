"""Every call to the service as one line of the debug log, when that is on."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import Answer, Call, Transport

log = logging.getLogger(__name__)


class LoggedTransport:
    """Hands calls on. Nothing is looked at unless somebody listens; bodies are shortened and redacted where they are written."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def request(self, call: Call, proxy: Secret | None) -> Answer:
        """The whole answer to a call, whatever its status."""
        if not log.isEnabledFor(logging.DEBUG):
            return await self._transport.request(call, proxy)
        began = time.monotonic()
        try:
            answer = await self._transport.request(call, proxy)
        except Flow2ApiError as error:
            _tell(call, proxy, began, code=error.code, reason=error.message)
            raise
        _tell(call, proxy, began, status=answer.status, response_body=answer.body)
        return answer

    @asynccontextmanager
    async def stream(self, call: Call, proxy: Secret | None) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        """The answer without its body, and the body's chunks as they come."""
        if not log.isEnabledFor(logging.DEBUG):
            async with self._transport.stream(call, proxy) as opened:
                yield opened
            return
        began, status = time.monotonic(), None
        try:
            async with self._transport.stream(call, proxy) as opened:
                status = opened[0].status
                yield opened
        except Flow2ApiError as error:
            _tell(call, proxy, began, status=status, code=error.code, reason=error.message)
            raise
        _tell(call, proxy, began, status=status, streamed=True)


def _tell(call: Call, proxy: Secret | None, began: float, **more: object) -> None:
    address = urlsplit(call.url)  # what stands behind the question mark may sign the address
    log.debug(
        "upstream call",
        extra={
            "method": "GET" if call.body is None else "POST",
            "host": address.hostname,
            "path": address.path,
            "proxied": bool(proxy),
            "took_ms": int((time.monotonic() - began) * 1000),
            **({} if call.body is None else {"request_body": call.body}),
            **more,
        },
    )
