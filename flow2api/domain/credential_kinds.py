"""Which upstream's accounts sign in with what."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flow2api.domain.account import CredentialKind


@dataclass(frozen=True, slots=True)
class CredentialKinds:
    """What the accounts of each upstream sign in with, as its plugin has said."""

    by_upstream: Mapping[str, CredentialKind] = field(default_factory=dict)

    def of(self, upstream: str) -> CredentialKind:
        """The kind of this upstream's accounts; one that nobody has registered has sessions."""
        return self.by_upstream.get(upstream, CredentialKind.SESSION)


SESSIONS = CredentialKinds()
"""Every upstream has sessions."""
