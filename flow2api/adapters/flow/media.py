"""The bytes of what was made: by their address, by a redirect that the session opens, or out of an answer.

The three ways: Flow, 2025-11; 2026-05-31 on; 2026-06-25 on.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import lru_cache
from urllib.parse import quote, urljoin, urlsplit

from flow2api.adapters.flow.caller import Caller
from flow2api.adapters.flow.errors import NEW_HOME, dead_credential, moved, refusal
from flow2api.domain.errors import CredentialError, CredentialRevokedError, UpstreamInvalidError, UpstreamNotFoundError
from flow2api.domain.generation import Product
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access
from flow2api.libcurl.calls import MIB, Answer, Call, Transport

MEDIA_HOSTS = frozenset({"storage.googleapis.com", "flow-content.google"})
LIMIT_BYTES = 512 * MIB
PAUSES_S = (0.5, 1.0, 2.0, 4.0)
"""Right after a success the redirect may not be there yet."""
EXPIRED = frozenset({400, 401, 403, 404, 410})
_AUTHORITY = re.compile(r"[A-Za-z0-9.\-]+(?::\d{1,5})?|\[[0-9A-Fa-f:.]+\](?::\d{1,5})?")
_ADDRESS = re.compile(r"[!-~]{1,8192}")


class MediaSource:
    """Fetches products.

    Args:
        bases: The configured base addresses; media may also come from their hosts and ports.
    """

    def __init__(self, caller: Caller, transport: Transport, clock: Clock, bases: tuple[str, ...]) -> None:
        self._caller = caller
        self._transport = transport
        self._clock = clock
        self._origins = frozenset(origin_of(base) for base in bases) | {f"https://{host}:443" for host in MEDIA_HOSTS}

    async def fetch(self, access: Access, product: Product, *, thumbnail: bool) -> AsyncGenerator[bytes, None]:
        """The bytes as they come, from wherever they can be had.

        Raises:
            UpstreamNotFoundError: They are not there (yet).
            CredentialError: A token is dead without which they cannot be had.
            UpstreamInvalidError: Their address is on a host that is not the service's.
        """
        if product.data is not None and not thumbnail:
            yield product.data
            return
        if product.url is not None and not thumbnail:
            try:
                async with aclosing(self._download(product.url, access)) as chunks:
                    async for chunk in chunks:
                        yield chunk
                return
            except UpstreamNotFoundError:
                pass  # the link is over; the product may still be had by its name
        async with aclosing(self._by_name(access, product.name, thumbnail=thumbnail)) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _by_name(self, access: Access, name: str, *, thumbnail: bool) -> AsyncGenerator[bytes, None]:
        missing: CredentialRevokedError | UpstreamNotFoundError
        try:
            address = await self._address_of(access, name, thumbnail=thumbnail)
            async with aclosing(self._download(address, access)) as chunks:
                async for chunk in chunks:
                    yield chunk
            return
        except (CredentialRevokedError, UpstreamNotFoundError) as error:
            missing = error
        if thumbnail or access.access_token is None:
            raise missing
        try:
            async with aclosing(self._inline(access, name)) as chunks:
                async for chunk in chunks:
                    yield chunk
        except (CredentialError, UpstreamNotFoundError) as error:
            raise (error if isinstance(missing, UpstreamNotFoundError) else missing) from error

    async def _address_of(self, access: Access, name: str, *, thumbnail: bool) -> str:
        """Where a product is; asked again for a while when it is not there yet."""
        kind = "THUMBNAIL" if thumbnail else "FULL_MEDIA"
        path = f"/trpc/media.getMediaUrlRedirect?name={quote(name, safe='')}&mediaUrlType=MEDIA_URL_TYPE_{kind}"
        for pause_s in (0.0, *PAUSES_S):
            if pause_s:
                await self._clock.sleep(pause_s)
            answer = await self._caller.ask_labs(path, access.session_token, access.proxy)
            if answer.status != 404:
                return self._read_redirect(answer)
        raise UpstreamNotFoundError("The service has no address for this media (yet).")

    def _read_redirect(self, answer: Answer) -> str:
        location = answer.value("location")
        if location is None or not 300 <= answer.status < 400:
            if answer.status == 200 and answer.is_html:
                raise dead_credential(by_session=True)
            if answer.status == 200:
                raise UpstreamInvalidError("The service was asked for the address of media and told none.")
            raise refusal(answer, now=self._clock.now(), by_session=True)
        address = urljoin(self._caller.labs_base_url + "/", location)
        if not self.is_allowed(address) and leads_to_sign_in(address, answer):
            raise dead_credential(by_session=True)
        if urlsplit(address).hostname == NEW_HOME:
            raise moved(address, by_session=True)
        return address

    def is_allowed(self, address: str) -> bool:
        """Whether media may be fetched from this address."""
        if not _ADDRESS.fullmatch(address) or "\\" in address:
            return False
        return _origin_of("/".join(address.split("/", 3)[:3])) in self._origins

    async def _download(self, address: str, access: Access) -> AsyncGenerator[bytes, None]:
        """The bytes behind an address; no token is ever sent along."""
        if not self.is_allowed(address):
            raise UpstreamInvalidError(
                "The service named a foreign host for its media; nothing was fetched from there."
            )
        limits = self._caller.limits
        call = Call(
            url=address,
            headers=[],
            timeout_s=limits.media_s,
            connect_timeout_s=limits.connect_s,
            idle_timeout_s=limits.media_idle_s,
            limit_bytes=LIMIT_BYTES,
            is_streamed=True,
        )
        size_bytes = 0
        proxy = access.proxy if access.media_proxy is None else access.media_proxy
        async with self._transport.stream(call, proxy) as (head, chunks):
            if head.status in EXPIRED:
                raise UpstreamNotFoundError("The address of the media is not good any more.")
            if head.status != 200:
                raise refusal(head, now=self._clock.now())
            if head.is_html or head.value("content-encoding") not in (None, "identity"):
                raise UpstreamInvalidError("The service sent something else in place of the media.")
            async for chunk in chunks:
                size_bytes += len(chunk)
                yield chunk
        if size_bytes == 0:
            raise UpstreamInvalidError("The service sent no bytes in place of the media.")

    async def _inline(self, access: Access, name: str) -> AsyncGenerator[bytes, None]:
        """The bytes out of an answer of the API base."""
        size_bytes = 0
        path, timeout_s = f"/media/{quote(name, safe='')}", self._caller.limits.media_s
        async with self._caller.stream_media(access, path, None, timeout_s=timeout_s) as (field, chunks):
            async for chunk in chunks:
                size_bytes += len(chunk)
                yield chunk
            field.finish()
        if size_bytes == 0:
            raise UpstreamNotFoundError("The service knows the media and does not hand it out (yet).")


def origin_of(address: str) -> str:
    """Scheme, host and port of an address; empty for one that is not plain HTTP, or that hides where it leads."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not _AUTHORITY.fullmatch(parts.netloc) or "\\" in address:
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port or (443 if parts.scheme == 'https' else 80)}"


_origin_of = lru_cache(maxsize=64)(origin_of)


def leads_to_sign_in(address: str, answer: Answer) -> bool:
    """Whether a redirect asks for a sign-in instead of leading to media."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    return host == "accounts.google.com" or "signin" in parts.path.lower() or (answer.is_html and host != NEW_HOME)
