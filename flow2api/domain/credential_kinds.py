"""Which upstream's accounts sign in with what."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flow2api.domain.account import CredentialKind


@dataclass(frozen=True, slots=True)
class CredentialKinds:
    """What the accounts of each upstream sign in with, as its plugin has said.

    Attributes:
        plain_hosts: Hosts that base URLs may lead to over plain http, as the operator has said.
    """

    by_upstream: Mapping[str, CredentialKind] = field(default_factory=dict)
    plain_hosts: frozenset[str] = frozenset()

    def of(self, upstream: str) -> CredentialKind:
        """The kind of this upstream's accounts; one that nobody has registered has sessions."""
        return self.by_upstream.get(upstream, CredentialKind.SESSION)


SESSIONS = CredentialKinds()
"""Every upstream has sessions."""
