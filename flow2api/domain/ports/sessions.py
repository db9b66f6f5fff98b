"""Who is signed in, and who tries to be."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from flow2api.domain.audit import AuditEntry
from flow2api.domain.session import OperatorSession


class Sessions(Protocol):
    """Sessions of operators."""

    async def add(self, session: OperatorSession, audit: AuditEntry | None = None) -> None:
        """Store a new session, and the entry of the audit log with it."""
        ...

    async def find(self, digest: bytes) -> OperatorSession | None:
        """The session with this digest, whether it still lives or not."""
        ...

    async def of_operator(self, operator_id: int) -> Sequence[OperatorSession]:
        """The sessions of one operator, newest first."""
        ...

    async def saw(self, digest: bytes, at: datetime) -> None:
        """Note a sign of life."""
        ...

    async def restamp(self, digest: bytes, stamp: str) -> None:
        """Let this session go on under its operator's new stamp."""
        ...

    async def remove(self, digest: bytes, audit: AuditEntry | None = None) -> bool:
        """End a session; False when there is none (any more), and then nothing is written."""
        ...

    async def remove_others(self, operator_id: int, but: bytes, audit: AuditEntry | None = None) -> int:
        """End every session of the operator but the one with this digest, in one step.

        Returns:
            How many there were; with none nothing is written.
        """
        ...


class SignInTries(Protocol):
    """How often it was tried to sign in, kept where a restart and other processes find it."""

    async def begin(self, subjects: Sequence[bytes], now: datetime) -> timedelta:
        """Ask for one more try on behalf of all these subjects (such as an address and a name), in one step.

        Returns:
            Zero, and the try is counted for each of them; or how long to wait, and nothing was counted.

        Raises:
            StorageError: Nobody knows; the try must not be looked at.
        """
        ...

    async def forget(self, subjects: Sequence[bytes]) -> None:
        """Start anew for these subjects: one of their tries was right."""
        ...
