"""A time that an operator is signed in."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flow2api.domain.operator import Operator

SESSION_PREFIX = "admin-"

LONGEST_IDLE = timedelta(hours=8)
LONGEST_SESSION = timedelta(days=7)
FRESH_FOR = timedelta(minutes=15)
"""So long after the sign-in a session is enough for what a stolen one must not be enough for."""
SEEN_EVERY = timedelta(minutes=1)
"""A session's last sign of life is written this often at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorSession:
    """Somebody is signed in. The token itself is shown once, at sign-in, and kept nowhere.

    Attributes:
        id: A public name for the session, which opens nothing.
        digest: Keyed hash of the token.
        stamp: The operator's stamp at sign-in; when it is another one, the session has ended.
        seen_at: The last sign of life, to the minute.
        expires_at: When it ends, whatever happens.
        address: Where the sign-in came from.
        agent: What the client called itself then.
    """

    id: str
    digest: bytes
    operator_id: int
    stamp: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str | None = None
    agent: str = ""

    def is_alive(self, now: datetime) -> bool:
        """Whether neither its whole time nor its idle time is over."""
        return now < self.expires_at and now - self.seen_at < LONGEST_IDLE

    def is_fresh(self, now: datetime) -> bool:
        """Whether the passphrase was given a short while ago."""
        return now - self.created_at <= FRESH_FOR

    def belongs_to(self, operator: Operator) -> bool:
        """Whether the operator still has the passphrase under which it was begun."""
        return operator.id == self.operator_id and operator.stamp == self.stamp

    def needs_sign_of_life(self, now: datetime) -> bool:
        """Whether its last sign of life is so old that a new one is to be written."""
        return now - self.seen_at >= SEEN_EVERY
