"""Tables of records with indexes, over the sorted keys and values of one transaction."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

import lmdb

from flow2api.domain.errors import ConflictError
from flow2api_lmdb.keys import Key, encoded
from flow2api_lmdb.records import Records

V = TypeVar("V")

IndexKey = Callable[[V], Key | None]
"""Where a value stands in an index; None keeps it out."""


@dataclass(frozen=True, slots=True)
class Table(Generic[V]):
    """A table: one named database for its records, and one for each index.

    Attributes:
        kind: Type of the values.
        indexes: By name. In an index, values of one key stand in the order of their keys in the table.
        unique: Names of indexes in which no two values may have one key, and what is said when they would.
    """

    name: str
    kind: type[V]
    indexes: Mapping[str, IndexKey[V]] = field(default_factory=dict)
    unique: Mapping[str, Callable[[V], str]] = field(default_factory=dict)

    @property
    def databases(self) -> tuple[str, ...]:
        """Names of the databases that it needs."""
        return (self.name, *(f"{self.name}.{index}" for index in self.indexes))


@dataclass(slots=True)
class Step:
    """What one step of a storage reads and writes: all of it happens, or nothing.

    Attributes:
        now: The time at its beginning.
        origin: Which storage it belongs to.
    """

    transaction: lmdb.Transaction
    databases: Mapping[str, Any]
    records: Records
    now: datetime
    origin: str

    def get(self, table: Table[V], *key: Any) -> V | None:
        """The value of this key."""
        return self._at(table, encoded(key))

    def has(self, table: Table[V], *key: Any) -> bool:
        """Whether there is a value of this key; it is not read."""
        return self._raw(table.name, encoded(key)) is not None

    def put(self, table: Table[V], key: Key, value: V) -> None:
        """Write the value over what is there, and let the indexes follow.

        Raises:
            ConflictError: Another value has the same key in an index in which no two may.
        """
        place = encoded(key)
        former = self._at(table, place) if table.indexes else None
        for name, index_key in table.indexes.items():
            before = None if former is None else index_key(former)
            after = index_key(value)
            if name in table.unique and after is not None and self._is_taken(table, name, after, place):
                raise ConflictError(table.unique[name](value))
            if before == after:
                continue
            self._leave(table, name, before, place)
            if after is not None:
                self._write(f"{table.name}.{name}", encoded(after) + place, place)
        self._write(table.name, place, self.records.written(value, table.name, place))

    def delete(self, table: Table[V], *key: Any) -> bool:
        """Remove a value and what the indexes say of it; False when there is none."""
        place = encoded(key)
        former = self._at(table, place) if table.indexes else None
        if former is not None:
            for name, index_key in table.indexes.items():
                self._leave(table, name, index_key(former), place)
        return self.transaction.delete(place, db=self.databases[table.name])

    def scan(
        self,
        table: Table[V],
        *prefix: Any,
        after: Key | None = None,
        before: Key | None = None,
        backwards: bool = False,
    ) -> Iterator[V]:
        """The values whose keys begin so, in the order of keys. Nothing may be written to the table meanwhile.

        Args:
            after: Only what stands behind this key (whole, or cut at a part).
            before: Only what stands in front of it.
        """
        for place, data in self._walk(table.name, prefix, after, before, backwards):
            yield self.records.read(data, table.kind, table.name, place)

    def by(
        self,
        table: Table[V],
        index: str,
        *prefix: Any,
        after: Key | None = None,
        before: Key | None = None,
        backwards: bool = False,
    ) -> Iterator[V]:
        """The same in the order of an index."""
        for _, place in self._walk(f"{table.name}.{index}", prefix, after, before, backwards):
            value = self._at(table, place)
            if value is not None:
                yield value

    def count(self, table: Table[Any]) -> int:
        """How many values there are."""
        return int(self.transaction.stat(self.databases[table.name])["entries"])

    def new_number(self, what: str) -> int:
        """The next number, from 1; none is ever given twice."""
        counter = encoded((what,))
        raw = self._raw(COUNTERS, counter)
        number = (0 if raw is None else int.from_bytes(raw, "big")) + 1
        self._write(COUNTERS, counter, number.to_bytes(8, "big"))
        return number

    def last_number(self, what: str) -> int:
        """The last number that was given; 0 before."""
        raw = self._raw(COUNTERS, encoded((what,)))
        return 0 if raw is None else int.from_bytes(raw, "big")

    def _at(self, table: Table[V], place: bytes) -> V | None:
        data = self._raw(table.name, place)
        return None if data is None else self.records.read(data, table.kind, table.name, place)

    def _raw(self, database: str, key: bytes) -> bytes | None:
        found = self.transaction.get(key, db=self.databases[database])
        return None if found is None else bytes(found)

    def _write(self, database: str, key: bytes, data: bytes) -> None:
        self.transaction.put(key, data, db=self.databases[database])

    def _leave(self, table: Table[V], index: str, key: Key | None, place: bytes) -> None:
        if key is not None:
            self.transaction.delete(encoded(key) + place, db=self.databases[f"{table.name}.{index}"])

    def _is_taken(self, table: Table[V], index: str, key: Key, place: bytes) -> bool:
        return any(other != place for _, other in self._walk(f"{table.name}.{index}", key, None, None, False))

    def _walk(
        self, database: str, prefix: Key, after: Key | None, before: Key | None, backwards: bool
    ) -> Iterator[tuple[bytes, bytes]]:
        start = encoded(prefix)
        low = start if after is None else _behind(encoded(after))
        high = _behind(start) if before is None else encoded(before)
        with self.transaction.cursor(db=self.databases[database]) as cursor:
            found = _backwards(cursor, high) if backwards else cursor.set_range(low) if low else cursor.first()
            while found:
                place = bytes(cursor.key())
                if not low <= place or (high and place >= high):
                    return
                yield place, bytes(cursor.value())
                found = cursor.prev() if backwards else cursor.next()


COUNTERS = "counters"


def _behind(key: bytes) -> bytes:
    """The first key that does not begin so and comes after those that do; empty behind everything."""
    return key + b"\xff" if key else b""


def _backwards(cursor: Any, high: bytes) -> bool:
    found: bool = cursor.set_range(high) if high else False
    return bool(cursor.prev() if found else cursor.last())
