"""The bytes of what was made: out of the answer itself, or by the id or address of a file."""

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from urllib.parse import urljoin, urlsplit

from flow2api.adapters.gemini.caller import Caller
from flow2api.domain.base_url import is_loopback
from flow2api.domain.errors import (
    AccountUnusableError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamRejectedError,
)
from flow2api.domain.generation import Product
from flow2api.domain.ports.upstream import Access
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import Answer

MEDIA_DOMAINS = ("googleapis.com", "googleusercontent.com", "google.com")
"""Where a redirect may lead."""

MOST_REDIRECTS = 3
_FILE = re.compile(r"(?:^|/v\d[0-9a-z]*/)(files/[A-Za-z0-9_-]+)(?::download)?(?:\?.*)?$")
_ADDRESS = re.compile(r"[!-~]{1,8192}")
_ERROR_LIMIT_BYTES = 64 * 1024
_GONE = frozenset({404, 410})
_NOT_YET = frozenset({400, 403})


def product_of(address: str) -> Product:
    """The product at an address; it is named by the id of its file, where the address has one.

    The address is kept as well, for by it the service knows a video that is to be gone on from.
    """
    found = _FILE.search(address)
    return Product(found[1] if found else address, address, extra=json.dumps({"uri": address}))


class FileSource:
    """Fetches products."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._origin = origin_of(caller.base)
        self._is_local = _is_local(self._origin)

    async def fetch(self, access: Access, product: Product) -> AsyncGenerator[bytes, None]:
        """The bytes as they come.

        Raises:
            UpstreamNotFoundError: They are not there (any more): files live two days.
            UpstreamInvalidError: Their address, or that of a redirect, is none of the service's.
        """
        if product.data is not None:
            yield product.data
            return
        address, size_bytes = self._address(product), 0
        proxy = access.proxy if access.media_proxy is None else access.media_proxy
        for _ in range(MOST_REDIRECTS + 1):
            key, way = self._key_for(address, access), access.proxy if self._is_ours(address) else proxy
            async with self._caller.stream(address, key, way) as (head, chunks):
                if 300 <= head.status < 400:
                    address = self._redirected(address, head)
                    continue
                await self._check(head, chunks)
                async for chunk in chunks:
                    size_bytes += len(chunk)
                    yield chunk
            if size_bytes == 0:
                raise UpstreamInvalidError("The service sent no bytes in place of the media.")
            return
        raise UpstreamInvalidError("The service redirects from one place to the next for its media.")

    def _address(self, product: Product) -> str:
        found = _FILE.search(product.url or "") or _FILE.search(product.name)
        if found is not None:
            return f"{self._caller.base}/{found[1]}:download?alt=media"
        if product.url is None:
            raise UpstreamNotFoundError("The service keeps nothing of this product that could be asked for.")
        if not self.is_allowed(product.url):
            raise UpstreamInvalidError(
                "The service named a foreign host for its media; nothing was fetched from there."
            )
        return product.url

    def _redirected(self, address: str, head: Answer) -> str:
        target = urljoin(address, head.value("location") or "")
        if not self.is_allowed(target):
            raise UpstreamInvalidError(
                "The service sent us to a foreign host for its media; nothing was fetched there."
            )
        return target

    async def _check(self, head: Answer, chunks: AsyncIterator[bytes]) -> None:
        if head.status in _GONE:
            raise UpstreamNotFoundError("The file is not there (any more).")
        if head.status != 200:
            error = self._caller.refused(Answer(head.status, head.head, await _beginning(chunks)))
            # A file is told of a while before it can be had, and what is said meanwhile is about the file.
            if head.status in _NOT_YET and isinstance(error, (UpstreamRejectedError, AccountUnusableError)):
                raise UpstreamNotFoundError(f"The file is not there (yet): {error.message}", reason=error.reason)
            raise error
        if head.is_html or head.value("content-encoding") not in (None, "identity"):
            raise UpstreamInvalidError("The service sent something else in place of the media.")

    def _key_for(self, address: str, access: Access) -> Secret | None:
        return access.access_token if self._is_ours(address) else None

    def _is_ours(self, address: str) -> bool:
        return origin_of(address) == self._origin

    def is_allowed(self, address: str) -> bool:
        """Whether media may be fetched from this address: of the base itself, of Google, and of this machine if the base is on it."""
        if not _ADDRESS.fullmatch(address) or "\\" in address or "@" in address.partition("?")[0]:
            return False
        origin = origin_of(address)
        if origin == self._origin or (self._is_local and _is_local(origin)):
            return True
        host = urlsplit(origin).hostname or ""
        return origin.startswith("https:") and any(host == one or host.endswith("." + one) for one in MEDIA_DOMAINS)


async def _beginning(chunks: AsyncIterator[bytes]) -> bytes:
    body = b""
    async for chunk in chunks:
        body += chunk
        if len(body) >= _ERROR_LIMIT_BYTES:
            break
    return body


def origin_of(address: str) -> str:
    """Scheme, host and port of an address; empty for one that is not plain HTTP."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port or (443 if parts.scheme == 'https' else 80)}"


def _is_local(origin: str) -> bool:
    return is_loopback(urlsplit(origin).hostname or "")
