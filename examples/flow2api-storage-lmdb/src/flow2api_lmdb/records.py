"""Domain data as bytes, with every secret in it sealed."""

from typing import Any, TypeVar

import msgspec

from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.secret import Secret

V = TypeVar("V")


class Records:
    """Writes and reads values as MessagePack.

    A secret is sealed for the table, the key, and its place among the secrets of its record, so that it cannot be read
    from anywhere else. A field that a later version adds has its default in records of an earlier one.
    """

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher

    def written(self, value: object, table: str, key: bytes) -> bytes:
        """The value as bytes."""
        places = _Places(table, key)

        def seal(found: Any) -> str:
            if not isinstance(found, Secret):
                raise NotImplementedError(f"{type(found).__name__} is nothing that is kept")
            return self._cipher.seal(found, place=places.next())

        return msgspec.msgpack.encode(value, enc_hook=seal)

    def read(self, data: bytes, kind: type[V], table: str, key: bytes) -> V:
        """The value again."""
        places = _Places(table, key)

        def opened(wanted: type, found: Any) -> Any:
            if wanted is not Secret:
                raise NotImplementedError(f"{wanted} is nothing that is kept")
            return self._cipher.open(found, place=places.next())

        return msgspec.msgpack.decode(data, type=kind, dec_hook=opened)


class _Places:
    def __init__(self, table: str, key: bytes) -> None:
        self._record = f"{table}:{key.hex()}"
        self._count = 0

    def next(self) -> str:
        self._count += 1
        return f"{self._record}:{self._count}"
