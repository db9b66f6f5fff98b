"""Which accounts are served at which host, for upstreams whose accounts each say theirs."""

from collections.abc import Mapping, Set

from flow2api.domain.account import Account, Place


class AccountHosts:
    """The accounts with a base URL, by upstream and base URL."""

    def __init__(self) -> None:
        self._hosts: dict[str, dict[str, set[int]]] = {}

    def of(self, upstream: str) -> Mapping[str, Set[int]]:
        """The base URLs that accounts of this upstream have, and whose they are; none where accounts have none."""
        return self._hosts.get(upstream, {})

    def at(self, place: Place) -> Set[int]:
        """The accounts that are served there; none for an upstream whose accounts have no base URL."""
        upstream, base_url = place
        return self.of(upstream).get(base_url or "", frozenset())

    def change(self, before: Account | None, after: Account | None) -> None:
        """Note an account that has come (there was none before), has changed, or has gone."""
        if before is not None and after is not None and before.base_url == after.base_url:
            return
        if before is not None and before.base_url is not None:
            hosts = self._hosts[before.upstream]
            hosts[before.base_url].discard(before.id)
            if not hosts[before.base_url]:
                del hosts[before.base_url]
        if after is not None and after.base_url is not None:
            self._hosts.setdefault(after.upstream, {}).setdefault(after.base_url, set()).add(after.id)
