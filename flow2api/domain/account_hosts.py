"""Which accounts are served at which host, for upstreams whose accounts each say theirs."""

from collections.abc import Iterable, Mapping, Set

from flow2api.domain.account import Account, Place


class AccountHosts:
    """The accounts with a base URL that are not switched off or suspended, by upstream and base URL."""

    def __init__(self) -> None:
        self._hosts: dict[str, dict[str, set[int]]] = {}

    def of(self, upstream: str) -> Mapping[str, Set[int]]:
        """The base URLs that accounts of this upstream have, and whose they are; none where accounts have none."""
        return self._hosts.get(upstream, {})

    def at(self, place: Place) -> Set[int]:
        """The accounts that are served there; none for an upstream whose accounts have no base URL."""
        upstream, base_url = place
        return self.of(upstream).get(base_url or "", frozenset())

    def at_any(self, places: Iterable[Place]) -> frozenset[int]:
        """The accounts that are served at one of these places, of upstreams whose accounts have base URLs."""
        return frozenset[int]().union(*(self.at(place) for place in places))

    def change(self, before: Account | None, after: Account | None) -> None:
        """Note an account that has come (there was none before), has changed, or has gone."""
        former, now = _host_of(before), _host_of(after)
        if former == now:
            return
        if before is not None and former is not None:
            hosts = self._hosts[before.upstream]
            hosts[former].discard(before.id)
            if not hosts[former]:
                del hosts[former]
        if after is not None and now is not None:
            self._hosts.setdefault(after.upstream, {}).setdefault(now, set()).add(after.id)


def _host_of(account: Account | None) -> str | None:
    """The host at which it is asked for anything; None for one that rests until somebody does something about it."""
    if account is None or any(rest.is_whole and rest.until is None for rest in account.rests):
        return None
    return account.base_url
