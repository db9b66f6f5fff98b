"""Keeping secrets at rest."""

from typing import Protocol

from flow2api.domain.secret import Secret


class Cipher(Protocol):
    """Encrypts secrets for the database and makes keyed hashes, both under the operator's master key."""

    def prepare(self, *, holds_secrets: bool) -> None:
        """Have a key ready; to be called once, before anything else.

        Args:
            holds_secrets: Whether the database holds anything sealed. If not, and there is no key, one is made.

        Raises:
            ConfigurationError: There is no key although secrets wait for it, or it cannot be used.
        """
        ...

    def seal(self, secret: Secret, *, place: str) -> str:
        """The secret as text for a database column. ``place`` (table, column, row) binds it to where it is kept."""
        ...

    def open(self, sealed: str, *, place: str) -> Secret:
        """The secret again.

        Raises:
            ConfigurationError: It was sealed with another key, for another place, or was damaged.
        """
        ...

    def digest(self, secret: Secret, *, purpose: str) -> bytes:
        """A keyed hash (32 bytes) by which a secret is found again without being kept."""
        ...
