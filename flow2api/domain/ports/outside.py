"""Looking at the server's own address as somebody else would."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class OutsideView:
    """What came back from an address.

    Attributes:
        latency_ms: From the first packet to the end of the answer.
        certificate_days: How long the certificate is still good; None without TLS or where that is not known.
        request_id: What the answer says that it is called.
    """

    status: int
    latency_ms: int
    certificate_days: int | None = None
    request_id: str = ""


class LooksOutside(Protocol):
    """Sends one plain request to an address, with nothing of ours in it."""

    async def __call__(self, url: str, *, timeout_s: float) -> OutsideView:
        """What is there.

        Raises:
            UpstreamUnavailableError: Nobody answered in time, or the certificate is not good; the message says which.
        """
        ...
