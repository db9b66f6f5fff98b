"""A storage in memory that can be looked at, copied and put back as a whole."""

import os
from copy import copy
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from flow2api.domain.errors import ConflictError, StorageBusyError, StorageError
from flow2api.domain.ports.storage import Examination, Maintains
from flow2api.testing.fakes.storage import FakeStorage

SCHEMA = "fake"


class FakeMaintainedStorage(FakeStorage):
    """The same as its base. A copy stays in memory, and its file says which one it is; tests may set the faults that it finds."""

    faults: tuple[str, ...] = ()
    _copies: tuple[dict[str, Any], ...] = ()

    async def examine(self) -> Examination:
        self._check_there()
        size = len(self.tables.accounts) + 1
        return Examination(schema=SCHEMA, newest_schema=SCHEMA, size_bytes=size, faults=self.faults)

    async def back_up(self, target: Path) -> int:
        self._check_there()
        return self._keep(target)

    async def restore(self, source: Path) -> Path | None:
        if self.opened > self.closed:
            raise StorageBusyError("The storage is in use; nothing was changed.")
        kept = self._copy_of(source)
        former = source.with_name(f"{source.name}.former-{len(self._copies)}") if self.opened else None
        if former is not None:
            self._keep(former)
        _put_back(self.tables, kept)
        return former

    def _copy_of(self, source: Path) -> dict[str, Any]:
        label = source.read_text("utf-8")
        for number, kept in enumerate(self._copies):
            if label == _label(number):
                return kept
        raise StorageError(f"{source} is damaged or no copy of ours; nothing was changed.")

    def _keep(self, target: Path) -> int:
        try:
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise ConflictError(f"There is a file {target} already; choose another name.") from error
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            self._copies = (*self._copies, _taken(self.tables))
            return file.write(_label(len(self._copies) - 1))

    def _check_there(self) -> None:
        if not self.opened:
            raise StorageError("There is no data yet.")


def _label(number: int) -> str:
    return f"copy {number} of a storage in memory"


def _taken(tables: Any) -> dict[str, Any]:
    """What is in the tables; rows never change, so they are shared."""
    values = {field.name: getattr(tables, field.name) for field in fields(tables) if field.name != "now"}
    return {name: _taken(value) if is_dataclass(value) else copy(value) for name, value in values.items()}


def _put_back(tables: Any, taken: dict[str, Any]) -> None:
    for name, value in taken.items():
        here = getattr(tables, name)
        if is_dataclass(here):
            _put_back(here, value)
        else:
            setattr(tables, name, copy(value))


def _is_maintained(fake: FakeMaintainedStorage) -> Maintains:
    return fake
