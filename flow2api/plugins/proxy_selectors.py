"""The built-in ways to choose the proxy of a pool for an account."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

from flow2api.domain.proxy import Member
from flow2api.hookspecs import NamedProxySelector, hookimpl


class Rendezvous:
    """The member with the highest hash together with the account (highest random weight).

    Every process comes to the same choice without asking, and when a member goes, only its own accounts move, evenly to
    all the others.
    """

    def select(self, account_id: int, members: Sequence[Member]) -> Member:
        """The winner."""
        return max(members, key=lambda member: _weight(account_id, member.name))


class FewestAccounts:
    """The member that the fewest accounts have; new proxies fill up first."""

    def select(self, account_id: int, members: Sequence[Member]) -> Member:
        """The emptiest one; among equals the choice of `Rendezvous`."""
        return min(members, key=lambda member: (member.accounts, -_weight(account_id, member.name)))


def _weight(account_id: int, name: str) -> int:
    digest = blake2b(f"{account_id}:{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


@hookimpl
def register_proxy_selectors() -> Iterable[NamedProxySelector]:
    """All of them."""
    return [
        NamedProxySelector("rendezvous", Rendezvous, "By a hash of account and proxy: even, and few accounts move."),
        NamedProxySelector("fewest_accounts", FewestAccounts, "The one that the fewest accounts have."),
    ]
