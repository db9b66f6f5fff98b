"""Keeping secrets at rest."""

from collections.abc import Collection
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


class Passphrases(Protocol):
    """Hashes of passphrases, slow and large on purpose, so that they cannot be tried fast."""

    async def hash(self, passphrase: Secret) -> Secret:
        """What to keep in place of the passphrase; no two hashes are alike. It may wait for its turn."""
        ...

    async def verify(self, passphrase: Secret, kept: Secret | None) -> bool:
        """Whether this is the passphrase that was hashed.

        Args:
            kept: The hash. None is never right, and takes as long to say so.

        Raises:
            StorageError: The hash is damaged.
        """
        ...

    def needs_rehash(self, kept: Secret) -> bool:
        """Whether the hash was made by another method or at other costs than a new one would be."""
        ...


class PassphraseMeter(Protocol):
    """Tells good passphrases from bad ones."""

    async def guesses(self, passphrase: Secret, *, near: Collection[str]) -> float:
        """About how many tries it takes somebody who begins with the likeliest.

        Args:
            near: Words that lie near for this very passphrase, such as the name of its owner.
        """
        ...
