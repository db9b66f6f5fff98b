"""What comes from elsewhere, kept in memory: an older server's records, and the browser extension's token."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from flow2api.domain.audit import AuditEntry
from flow2api.domain.connection_token import ConnectionToken
from flow2api.domain.generation import Generation
from flow2api.domain.legacy import Total
from flow2api.domain.request_log import LoggedRequest

if TYPE_CHECKING:
    from flow2api.domain.ports.connection_tokens import ConnectionTokens
    from flow2api.domain.ports.legacy import Inheritance
    from tests.fakes.storage import Tables


class FakeInheritance:
    def __init__(self, tables: "Tables") -> None:
        self._tables = tables
        self.lines: dict[tuple[datetime, str], LoggedRequest] = {}
        self.totals: list[Total] = []

    async def add_generations(self, generations: Sequence[Generation]) -> int:
        self._tables.writing()
        new = {one.id: one for one in generations if one.id not in self._tables.generations}
        self._tables.generations.update(new)
        return len(new)

    async def add_log(self, lines: Sequence[LoggedRequest]) -> int:
        self._tables.writing()
        new = {(line.at, line.request_id): line for line in lines if (line.at, line.request_id) not in self.lines}
        self.lines.update(new)
        return len(new)

    async def set_totals(self, totals: Sequence[Total]) -> None:
        self._tables.writing()
        accounts = {one.account_id for one in totals}
        self.totals = [*(one for one in self.totals if one.account_id not in accounts), *totals]


class FakeConnectionTokens:
    def __init__(self, tables: "Tables") -> None:
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
