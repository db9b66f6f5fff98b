"""The port ``Courier``, guarded against being led inside."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flow2api.adapters.webhooks.signature import key_of, new_secret, signature
from flow2api.adapters.webhooks.target import Address, Target
from flow2api.adapters.webhooks.transfer import Answer, TransferFailedError, post
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.secret import Secret
from flow2api.domain.webhook import Receipt, Webhook

_MOST_ADDRESSES = 8
_GONE = 410
_MOST_SECONDS = 10**9


class CurlCourier:
    """Sends messages by POST. A redirect is an answer like any other, and is not followed.

    Args:
        resolve: Gives the addresses of a host.
        is_public: Which addresses messages may go to when private ones are not allowed.
        allows_private: Whether they are, as things stand.
        ca_bundle: Certificates to trust in place of the usual ones.
        timeout_s: For one try as a whole.
    """

    def __init__(
        self,
        resolve: Callable[[str], Awaitable[Sequence[Address]]],
        is_public: Callable[[Address], bool],
        allows_private: Callable[[], bool],
        *,
        ca_bundle: Path | None = None,
        timeout_s: float = 15.0,
    ) -> None:
        self._resolve = resolve
        self._is_public = is_public
        self._allows_private = allows_private
        self._ca_bundle = ca_bundle
        self._timeout_s = timeout_s

    def check(self, url: Secret) -> str:
        target = Target.parse(url.reveal())
        if target is None:
            raise UnsupportedInputError(
                "The address of a webhook looks like https://hooks.example.org/path, without a user or a password.",
                param="url",
            )
        if not self._is_allowed(target):
            raise UnsupportedInputError(
                "The address of a webhook is https on a public host. For one inside your own network set the option "
                "private_webhooks.",
                param="url",
            )
        return target.origin

    async def carry(self, webhook: Webhook, message_id: str, at: datetime, content: bytes) -> Receipt:
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._post(webhook, message_id, at, content)
        except TimeoutError:
            return Receipt(answer=None, error="no answer came in time")
        except (TransferFailedError, UnsupportedInputError) as error:
            return Receipt(answer=None, error=str(error))
        if 200 <= answer.status < 300:
            return Receipt(answer=answer.status)
        return Receipt(
            answer=answer.status,
            error=f"it answered {answer.status}",
            is_gone=answer.status == _GONE,
            retry_after_s=_seconds(answer.retry_after, at),
        )

    def new_secret(self) -> Secret:
        return new_secret()

    def check_secret(self, secret: Secret) -> None:
        key_of(secret)

    async def _post(self, webhook: Webhook, message_id: str, at: datetime, content: bytes) -> Answer:
        target, timestamp = Target.parse(webhook.url.reveal()), int(at.timestamp())
        if target is None or not self._is_allowed(target):
            raise TransferFailedError("its address is not one that messages are carried to")
        lines = (
            b"Content-Type: application/json",
            b"User-Agent: flow2api",
            b"webhook-id: " + message_id.encode(),
            b"webhook-timestamp: " + str(timestamp).encode(),
            b"webhook-signature: " + signature(webhook.signing, message_id, timestamp, content).encode(),
        )
        addresses = await self._addresses(target)
        return await post(target, addresses, lines, content, timeout_s=self._timeout_s, ca_bundle=self._ca_bundle)

    async def _addresses(self, target: Target) -> Sequence[Address]:
        """All addresses of the host; one that is not allowed spoils the rest."""
        addresses = [target.address] if target.address is not None else await self._resolve(target.host)
        if not addresses:
            raise TransferFailedError("its host has no address")
        if not self._allows_private() and not all(self._is_public(address) for address in addresses):
            raise TransferFailedError("its host is not on the public internet; see the option private_webhooks")
        return addresses[:_MOST_ADDRESSES]

    def _is_allowed(self, target: Target) -> bool:
        """As far as the address itself tells."""
        if self._allows_private():
            return True
        return target.is_secure and ("." in target.host if target.address is None else self._is_public(target.address))


def _seconds(retry_after: str, at: datetime) -> float | None:
    """The pause that was asked for, in seconds or as a date; whatever a receiver sends, it can be reckoned with."""
    if retry_after.isdecimal():
        return min(float(retry_after), _MOST_SECONDS)
    try:
        moment = parsedate_to_datetime(retry_after)
        return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - at).total_seconds())
    except (ValueError, OverflowError):
        return None


if TYPE_CHECKING:
    from flow2api.domain.ports.webhooks import Courier

    def _is_a_courier(courier: CurlCourier) -> Courier:
        return courier
