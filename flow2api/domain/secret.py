"""A value that must not be shown."""

import hashlib
from typing import NoReturn


class Secret:
    """Text that hides itself from ``repr``, ``str``, logs and pickles.

    Only adapters call :meth:`reveal`, at the moment of use.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself."""
        return self._value

    def fingerprint(self) -> bytes:
        """By what it is known again without being held; only for comparison in memory, for it has no key."""
        return hashlib.blake2b(self._value.encode(), digest_size=16).digest()

    def letters_and_digits(self) -> "Secret":
        """What is left without case and anything but ASCII's letters and digits, as codes count that people type in."""
        return Secret("".join(one for one in self._value if one.isascii() and one.isalnum()).casefold())

    def ending(self, letters: int, shortest: int) -> str:
        """Its last letters, by which people tell it from another one; empty when it is shorter than ``shortest``."""
        return self._value[-letters:] if len(self._value) >= shortest else ""

    def variety(self) -> int:
        """How many different characters there are."""
        return len(set(self._value))

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __format__(self, format_spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied")
