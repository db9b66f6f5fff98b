"""The port ``PictureFetcher``, guarded against being led inside."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flow2api.adapters.fetch.addresses import Address, is_public
from flow2api.adapters.fetch.resolver import Resolver, resolve
from flow2api.adapters.fetch.target import RefusedTargetError, Target
from flow2api.adapters.fetch.transfer import REDIRECTS, NotAPictureError, TooLargeError, TransferFailedError, get
from flow2api.domain.errors import UnsupportedInputError

_MAX_REDIRECTS = 3
_MAX_ADDRESSES = 8


class GuardedFetcher:
    """Fetches PNG, JPEG and WebP over https from hosts of the public internet.

    Each hop is parsed once, its host resolved once, every one of its addresses checked, and the connection made to
    what was checked. It sends no credential, no cookie and nothing of the caller, and uses no proxy. What is refused
    and what cannot be reached read the same, so that an answer tells nothing of the network that the server stands in.

    Args:
        resolver: Gives the addresses of a host.
        allow: Which addresses may be connected to. Only a test has a reason to allow others than the public ones.
        ca_bundle: Certificates to trust in place of the usual ones.
        port: The only port that is connected to.
        max_bytes: The largest picture that is taken.
        timeout_s: For the whole way, redirects included, without the wait for a turn.
        at_once: How many fetches run at the same time.
        wait_s: How long one may wait for its turn: slow addresses of one caller must not hold others up for long.
    """

    def __init__(
        self,
        *,
        resolver: Resolver = resolve,
        allow: Callable[[Address], bool] = is_public,
        ca_bundle: Path | None = None,
        port: int = 443,
        max_bytes: int = 12 * 1024 * 1024,
        timeout_s: float = 20.0,
        at_once: int = 8,
        wait_s: float = 30.0,
    ) -> None:
        self._resolver = resolver
        self._allow = allow
        self._ca_bundle = ca_bundle
        self._port = port
        self._max_bytes = max_bytes
        self._timeout_s = timeout_s
        self._wait_s = wait_s
        self._turns = asyncio.Semaphore(at_once)

    async def fetch(self, url: str, *, param: str) -> bytes:
        """The picture behind the address; its first bytes were looked at, no more.

        Raises:
            UnsupportedInputError: ``invalid_image_url`` when the address is not one that is fetched from,
                ``image_too_large``, or ``failed_to_download_image``.
        """
        try:
            limit = asyncio.timeout(self._wait_s)
            async with limit, self._turns:
                limit.reschedule(asyncio.get_running_loop().time() + self._timeout_s)
                return await self._follow(Target.parse(url, self._port))
        except RefusedTargetError as cause:
            raise UnsupportedInputError(
                "The address of the picture is refused: it must be https on port 443 of a public host. Send the "
                "picture itself as a data URL.",
                param=param,
                code="invalid_image_url",
            ) from cause
        except TooLargeError as cause:
            raise UnsupportedInputError(
                f"The picture at this address has more than {self._max_bytes:,} bytes; send a smaller one.",
                param=param,
                code="image_too_large",
            ) from cause
        except NotAPictureError as cause:
            raise UnsupportedInputError(
                "There is no PNG, JPEG or WebP picture at this address.", param=param, code="failed_to_download_image"
            ) from cause
        except (TransferFailedError, TimeoutError) as cause:
            raise UnsupportedInputError(
                "The picture could not be downloaded from this address. Try again, or send it as a data URL.",
                param=param,
                code="failed_to_download_image",
            ) from cause

    async def _follow(self, target: Target) -> bytes:
        for _ in range(1 + _MAX_REDIRECTS):
            answer = await get(
                target,
                await self._checked_addresses(target.host),
                max_bytes=self._max_bytes,
                timeout_s=self._timeout_s,
                ca_bundle=self._ca_bundle,
            )
            if answer.status == 200:
                return answer.body
            if answer.status not in REDIRECTS or answer.location is None:
                break
            target = target.redirected(answer.location)
        raise TransferFailedError

    async def _checked_addresses(self, host: str) -> Sequence[Address]:
        """All addresses of the host; one that is not allowed spoils the rest."""
        addresses = await self._resolver(host)
        if not addresses or not all(self._allow(address) for address in addresses):
            raise RefusedTargetError
        return addresses[:_MAX_ADDRESSES]


if TYPE_CHECKING:
    from flow2api.domain.ports.media import PictureFetcher

    _: PictureFetcher = GuardedFetcher()
