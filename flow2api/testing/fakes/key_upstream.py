"""The service in memory, behind API keys."""

from dataclasses import dataclass, field

from flow2api.domain.account import Credentials, Tier
from flow2api.domain.errors import (
    CredentialExpiredError,
    CredentialRevokedError,
)
from flow2api.domain.generation import Operation, Order
from flow2api.domain.ports.upstream import Access, Allowance, Exchanged
from flow2api.domain.secret import Secret
from flow2api.testing.fakes.players import FakeCall, FakePlayer
from flow2api.testing.fakes.upstream import FakeUpstream


@dataclass
class FakeKeyUpstream(FakeUpstream):
    """The same service behind API keys: an exchange proves a key and gives it back, and there are no workspaces.

    A key is one of a player's session tokens; with a base URL it is good there only.

    Attributes:
        homes: The base URL of players that have one, by e-mail address.
        refused: Keys that no call takes although they can be proved.
        asked: Key and base URL of every exchange.
    """

    name: str = "keyed"
    homes: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def add_key(self, key: str, base_url: str | None = None) -> FakePlayer:
        """A new account of the service, that signs in with this key."""
        player = self.add_player(session_tokens=[key], rotates=False, tier=Tier.FREE)
        if base_url is not None:
            self.homes[player.email] = base_url
        return player

    async def exchange(self, credentials: Credentials, proxy: Secret | None) -> Exchanged:
        key = credentials.session_token
        self.asked.append((key.reveal(), credentials.base_url))
        lost = await self._enter(FakeCall("exchange", None))
        self._of_key(key, credentials.base_url)
        self._leave(lost)
        now = self.clock.now()
        return Exchanged(Credentials(key, key, now + self.access_life, now, credentials.base_url), None, None)

    async def allowance(self, access: Access) -> Allowance:
        await super().allowance(access)
        return Allowance(Tier.FREE, None)

    async def open_workspace(self, access: Access, title: str) -> str:
        lost = await self._enter(FakeCall("open_workspace", access.account_id))
        self._player(access)
        self._leave(lost)
        return "default"

    async def submit(self, access: Access, order: Order) -> tuple[Operation, int | None]:
        operation, _ = await super().submit(access, order)
        return operation, None

    def _player(self, access: Access) -> FakePlayer:
        key = access.access_token or Secret("")
        if key.reveal() in self.refused:
            raise CredentialExpiredError("The API key is not accepted for this.")
        return self._of_key(key, access.base_url)

    def _working(self, access: Access) -> FakePlayer:
        return self._player(access)

    def _of_key(self, key: Secret, base_url: str | None) -> FakePlayer:
        for player in self.players:
            is_home = self.homes.get(player.email) == base_url
            if is_home and key.reveal() in player.session_tokens and not player.is_revoked:
                return player
        raise CredentialRevokedError("The API key is not accepted.")
