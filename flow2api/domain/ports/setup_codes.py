"""Where the codes are kept that let the first operator set himself up."""

from datetime import datetime
from typing import Protocol

from flow2api.domain.audit import AuditEntry


class SetupCodes(Protocol):
    """Keyed hashes of setup codes. There may be several, for each process that waits for its operator tells its own."""

    async def add(self, digest: bytes, expires_at: datetime, now: datetime, audit: AuditEntry | None = None) -> None:
        """Keep one more, or the same for longer; those that have ended by now are forgotten."""
        ...

    async def is_good(self, digest: bytes, now: datetime) -> bool:
        """Whether it is kept and has not ended."""
        ...

    async def clear(self) -> None:
        """Forget all of them."""
        ...
