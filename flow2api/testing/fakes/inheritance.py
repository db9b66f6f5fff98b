"""What comes from elsewhere, kept in memory: an older server's records, and the browser extension's token."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING
from zlib import crc32

from flow2api.domain.audit import AuditEntry
from flow2api.domain.connection_token import ConnectionToken
from flow2api.domain.generation import Generation
from flow2api.domain.legacy import SOURCE, Total
from flow2api.domain.request_log import LoggedRequest
from flow2api.domain.statistics import Counts
from flow2api.testing.fakes.tables import Tables

if TYPE_CHECKING:
    from flow2api.domain.ports.connection_tokens import ConnectionTokens
    from flow2api.domain.ports.legacy import Inheritance


class FakeInheritance:
    """Keeps what is brought over in memory.

    Attributes:
        totals: What accounts are known to have done before.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.totals: list[Total] = []

    async def add_generations(self, generations: Sequence[Generation]) -> int:
        self._tables.writing()
        new = {one.id: one for one in generations if one.id not in self._tables.generations}
        self._tables.generations.update(new)
        return len(new)

    async def add_log(self, lines: Sequence[LoggedRequest]) -> int:
        self._tables.writing()
        kept = self._tables.records.lines
        known = {line.number for line in kept}
        new = {_number_of(line): line for line in lines if _number_of(line) not in known}
        kept[:0] = [replace(line, number=number) for number, line in sorted(new.items())]
        return len(new)

    async def set_totals(self, totals: Sequence[Total]) -> None:
        self._tables.writing()
        accounts = {one.account_id for one in totals}
        self.totals = [*(one for one in self.totals if one.account_id not in accounts), *totals]
        records = self._tables.records
        for account_id in accounts:
            who = (account_id, 0, SOURCE)
            records.totals.pop(who, None)
            for at in [at for at in records.days if at[1] == who]:
                del records.days[at]
        for one in totals:
            who = (one.account_id, 0, SOURCE)
            records.days[one.day, who] = records.days.get((one.day, who), Counts()) + _counts_of(one)
            records.totals[who] = records.totals.get(who, Counts()) + _counts_of(one)


def _number_of(line: LoggedRequest) -> int:
    """Below every number of our own, in the order of time, and always the same for the same line."""
    return int(line.at.timestamp()) * 2**32 + crc32(f"{line.at}{line.request_id}".encode()) - 2**70


def _counts_of(total: Total) -> Counts:
    succeeded = total.images + total.videos
    return Counts(images=total.images, videos=total.videos, succeeded=succeeded, errors=total.errors)


class FakeConnectionTokens:
    """The connection token in memory.

    Attributes:
        reads: How often it was asked for.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.kept: ConnectionToken | None = None
        self.reads = 0

    async def current(self) -> ConnectionToken | None:
        self.reads += 1
        return self.kept

    async def replace(self, token: ConnectionToken | None, audit: AuditEntry | None = None) -> None:
        self._tables.writing(audit)
        self.kept = token
        self._tables.note_audit(audit)


if TYPE_CHECKING:

    def _is_an_inheritance(fake: FakeInheritance) -> Inheritance:
        return fake

    def _is_connection_tokens(fake: FakeConnectionTokens) -> ConnectionTokens:
        return fake
