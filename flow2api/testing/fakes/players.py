"""The accounts of the service in memory, what they are called for, and what goes wrong then."""

from dataclasses import dataclass, field

from flow2api.domain.account import Credentials, Tier
from flow2api.domain.generation import Operation, Order
from flow2api.domain.secret import Secret


@dataclass
class FakePlayer:
    """One account as the fake service knows it. Tests may change every field while it is in use.

    Attributes:
        session_tokens: All that are accepted; the last one is the newest.
        rotates: Whether an exchange hands out a new session token.
        is_revoked: No session token is accepted any more.
    """

    email: str
    session_tokens: list[str]
    tier: Tier = Tier.PRO
    credits: int = 1000
    rotates: bool = True
    is_revoked: bool = False
    access_tokens: dict[str, float] = field(default_factory=dict)
    workspaces: set[str] = field(default_factory=set)

    @property
    def credentials(self) -> Credentials:
        """What an operator would give us for it."""
        return Credentials(Secret(self.session_tokens[-1]))

    def kill_access_tokens(self) -> None:
        """None of its access tokens is accepted any more."""
        self.access_tokens.clear()


@dataclass(frozen=True)
class FakeCall:
    """One call that came in.

    Attributes:
        account_id: None for an exchange.
        order: For ``produce`` and ``submit``.
        names: For ``poll``, ``fetch`` and ``delete``.
    """

    name: str
    account_id: int | None
    order: Order | None = None
    names: tuple[str, ...] = ()
    thumbnail: bool = False


@dataclass
class Fault:
    """An error that calls meet.

    Attributes:
        nth: The first matching call that meets it, from 1.
        times: How many calls meet it from then on; None is all.
        after_work: The call is carried out, and its answer lost.
    """

    call: str
    error: Exception
    nth: int = 1
    times: int | None = 1
    account_id: int | None = None
    after_work: bool = False
    seen: int = 0

    def hits(self, call: FakeCall) -> bool:
        if call.name != self.call or (self.account_id is not None and call.account_id != self.account_id):
            return False
        self.seen += 1
        return self.seen >= self.nth and (self.times is None or self.seen < self.nth + self.times)


@dataclass
class FakeJob:
    """A video in the making. Tests may end it early, late or badly."""

    operation: Operation
    order: Order
    player: FakePlayer
    price: int
    ends_at: float
    error: Exception | None = None
    is_refunded: bool = False
