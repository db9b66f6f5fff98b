"""The bytes of what was made: out of the answer, by the account's own host, or by an address that it gave."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import aclosing
from typing import Protocol
from urllib.parse import quote, urljoin, urlsplit

from flow2api.adapters.openai_media.caller import Caller, base_of
from flow2api.adapters.openai_media.hosts import origin_of
from flow2api.domain.errors import (
    Flow2ApiError,
    UnsupportedInputError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamRejectedError,
)
from flow2api.domain.generation import Product
from flow2api.domain.ports.upstream import Access
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import MIB, Answer, Call, Transport

LIMIT_BYTES = 512 * MIB
REDIRECTS = frozenset({301, 302, 303, 307, 308})
EXPIRED = frozenset({400, 401, 403, 404, 410})
_MOST_REDIRECTS = 3
_ERROR_LIMIT_BYTES = 64 * 1024


class FetchesPictures(Protocol):
    """Fetches pictures from hosts of the public internet, and cannot be led inside."""

    async def fetch(self, url: str, *, param: str) -> bytes:
        """The picture behind an address.

        Raises:
            UnsupportedInputError: It is not fetched, or cannot be had.
        """
        ...


class MediaSource:
    """Fetches products.

    Args:
        guarded: Fetches what lies on hosts that nobody has named.
        hosts: Names of further hosts that media may come from, over https, without a key.
    """

    def __init__(
        self, caller: Caller, transport: Transport, guarded: FetchesPictures, hosts: Collection[str] = ()
    ) -> None:
        self._caller = caller
        self._transport = transport
        self._guarded = guarded
        self._origins = frozenset(f"https://{host.casefold()}:443" for host in hosts)

    async def fetch(self, access: Access, product: Product, *, thumbnail: bool) -> AsyncGenerator[bytes, None]:
        """The bytes as they come.

        Raises:
            UpstreamNotFoundError: They are not there (yet).
            UpstreamInvalidError: Something else came in their place, or they lie where nothing is fetched from.
        """
        if product.data is not None and not thumbnail:
            yield product.data
            return
        if product.url is not None and not thumbnail:
            chunks = self._by_address(access, product.url)
        elif product.name:
            path = f"/videos/{quote(product.name, safe='')}/content{'?variant=thumbnail' if thumbnail else ''}"
            chunks = self._followed(access, base_of(access) + path, self._caller.refusal)
        else:
            raise UpstreamNotFoundError("The host keeps nothing of what it made.")
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk

    def _by_address(self, access: Access, address: str) -> AsyncGenerator[bytes, None]:
        if self._is_known(access, address):
            return self._followed(access, address, _expired)
        return self._from_elsewhere(access, address)

    async def _followed(
        self, access: Access, address: str, refused: Callable[[Answer], Flow2ApiError]
    ) -> AsyncGenerator[bytes, None]:
        """What is behind an address, over a few redirects; the key never goes to another host."""
        for _ in range(1 + _MOST_REDIRECTS):
            async with self._transport.stream(self._call(access, address), _way(access)) as (head, chunks):
                if head.status not in REDIRECTS:
                    size_bytes = 0
                    if head.status != 200:
                        raise refused(Answer(head.status, head.head, await _beginning(chunks)))
                    if head.is_html or head.value("content-encoding") not in (None, "identity"):
                        raise UpstreamInvalidError("The host sent something else in place of the media.")
                    async for chunk in chunks:
                        size_bytes += len(chunk)
                        yield chunk
                    if size_bytes == 0:
                        raise UpstreamInvalidError("The host sent no bytes in place of the media.")
                    return
            address = urljoin(address, head.value("location") or "")
            if not self._is_known(access, address):
                raise UpstreamInvalidError(
                    f"The host sends to {urlsplit(address).hostname} for its media; name it in the setting "
                    "`openai.media_hosts` if that is right."
                )
        raise UpstreamInvalidError("The host sends from one address to the next for its media.")

    async def _from_elsewhere(self, access: Access, address: str) -> AsyncGenerator[bytes, None]:
        """A picture on a host that nobody has named: only from the public internet, and never past a proxy."""
        if _way(access):
            raise UpstreamInvalidError(
                "The host keeps its pictures elsewhere, where nothing is fetched from through a proxy; name that host in the "
                "setting `openai.media_hosts`, or have the model answer with `b64_json`."
            )
        try:
            yield await self._guarded.fetch(address, param="url")
        except UnsupportedInputError as error:
            raise UpstreamInvalidError(f"The host's address of a picture is of no use: {error.message}") from error

    def _is_known(self, access: Access, address: str) -> bool:
        origin = origin_of(address)
        return origin != "" and (origin in self._origins or origin == origin_of(base_of(access)))

    def _call(self, access: Access, address: str) -> Call:
        limits = self._caller.limits
        is_own = origin_of(address) == origin_of(base_of(access))
        return Call(
            url=address,
            headers=self._caller.headers(access) if is_own else [],
            timeout_s=limits.media_s,
            connect_timeout_s=limits.connect_s,
            idle_timeout_s=limits.media_idle_s,
            limit_bytes=LIMIT_BYTES,
            is_streamed=True,
        )


def _way(access: Access) -> Secret | None:
    """The proxy of downloads."""
    return access.proxy if access.media_proxy is None else access.media_proxy


def _expired(answer: Answer) -> Flow2ApiError:
    if answer.status in EXPIRED:
        return UpstreamNotFoundError("The address of the media is not good any more.")
    return UpstreamRejectedError(f"The address of the media answers {answer.status}.")


async def _beginning(chunks: AsyncIterator[bytes]) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) >= _ERROR_LIMIT_BYTES:
            break
    return bytes(body)
