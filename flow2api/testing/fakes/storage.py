"""A storage in memory that keeps every promise of the port, made of its repositories, the smallest of which stand here."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from flow2api.domain.audit import AuditEntry
from flow2api.domain.checks import RENEWALS, Check, latest, of_generation, of_renewal
from flow2api.domain.errors import ChangedMeanwhileError
from flow2api.domain.health import HealthEvent
from flow2api.domain.ports.account_directory import (
    AccountDirectory,
)
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.connection_tokens import ConnectionTokens
from flow2api.domain.ports.legacy import Inheritance
from flow2api.domain.ports.notifications import NotifyTargets, ToldNotices
from flow2api.domain.ports.proxies import Proxies
from flow2api.domain.ports.request_log import RequestLog
from flow2api.domain.ports.second_factors import SecondFactors
from flow2api.domain.ports.sessions import Sessions, SignInTries
from flow2api.domain.ports.setup_codes import SetupCodes
from flow2api.domain.ports.statistics import Statistics
from flow2api.domain.ports.storage import (
    Accounts,
    AccountTrash,
    ApiKeys,
    Change,
    ChangeFeed,
    CredentialVault,
    CreditsHistory,
    GenerationDirectory,
    Generations,
    HealthLog,
    Journal,
    LogEntry,
    MediaIndex,
    Operators,
    OptionValues,
    Page,
    PastRequests,
    Storage,
)
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.webhooks import Deliveries, Webhooks
from flow2api.testing.fakes.accounts import FakeAccountDirectory, FakeAccounts, FakeCredentialVault
from flow2api.testing.fakes.credits import FakeCreditsHistory
from flow2api.testing.fakes.generations import (
    FakeGenerationDirectory,
    FakeGenerations,
    FakeMediaIndex,
    FakePastRequests,
)
from flow2api.testing.fakes.inheritance import FakeConnectionTokens, FakeInheritance
from flow2api.testing.fakes.notify import FakeDeliveries, FakeNotifyTargets, FakeToldNotices, FakeWebhooks
from flow2api.testing.fakes.operators import FakeApiKeys, FakeAuditLog, FakeOperators, FakeSessions, FakeSignInTries
from flow2api.testing.fakes.proxies import FakeProxies
from flow2api.testing.fakes.records import FakeRequestLog, FakeStatistics
from flow2api.testing.fakes.second_factors import FakeSecondFactors, FakeSetupCodes
from flow2api.testing.fakes.tables import Tables
from flow2api.testing.fakes.trash import FakeAccountTrash


class FakeChangeFeed:
    """The change feed in memory; every change is its own."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def latest(self) -> int:
        return self._tables.changes[-1].number if self._tables.changes else 0

    async def since(self, number: int, limit: int = 1000) -> Sequence[Change]:
        return [change for change in self._tables.changes if change.number > number][:limit]


class FakeOptionValues:
    """Options in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def read(self) -> Mapping[str, object]:
        return dict(self._tables.options)

    async def write(
        self,
        values: Mapping[str, object],
        who: str,
        audit: AuditEntry | None = None,
        *,
        known: Mapping[str, object] | None = None,
    ) -> None:
        self._tables.writing(audit)
        changed = () if known is None else [one for one in values if self._tables.options.get(one) != known.get(one)]
        if changed:
            raise ChangedMeanwhileError(changed)
        for name, value in values.items():
            self._tables.options.pop(name, None)
            if value is not None:
                self._tables.options[name] = value
            self._tables.note("options", name)
        if values:
            self._tables.note_audit(audit)


class FakeJournal:
    """Takes entries in at once."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def note(self, entry: LogEntry) -> None:
        self._tables.log.append(entry)
        self._tables.records.take(entry)


class FakeHealthLog:
    """Timelines in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def note(self, event: HealthEvent) -> None:
        self._tables.health.append(replace(event, number=self._tables.new_id("health")))

    async def page(self, account_id: int, *, before: int | None = None, limit: int) -> Page[HealthEvent]:
        mine = [one for one in reversed(self._tables.health) if one.account_id == account_id]
        behind = [one for one in mine if before is None or one.number < before]
        return Page(tuple(behind[:limit]), has_more=len(behind) > limit)

    async def last_checks(self, account_ids: Sequence[int]) -> Mapping[int, Sequence[Check]]:
        found: dict[int, list[Check]] = {}
        for event in self._tables.health:
            if event.kind in RENEWALS:
                found.setdefault(event.account_id, []).append(of_renewal(event.at, event.kind))
        for line in self._tables.records.lines:
            made_ms = line.duration_ms - line.waited_ms
            check = of_generation(line.at, line.kind, line.state, line.status, made_ms)
            if check is not None and line.account_id is not None:
                found.setdefault(line.account_id, []).append(check)
        wanted = [account_id for account_id in account_ids if account_id in self._tables.accounts]
        return {account_id: latest(found[account_id]) for account_id in wanted if account_id in found}

    async def forget(self, before: datetime) -> int:
        self._tables.writing()
        kept = [one for one in self._tables.health if one.at >= before]
        forgotten = len(self._tables.health) - len(kept)
        self._tables.health[:] = kept
        return forgotten


class FakeStorage:
    """The whole storage in memory. It needs no `open`, but counts it.

    Args:
        clock: The clock that leases, claims and everything else go by; the time of day when none is given.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.tables = Tables(clock.now if clock is not None else lambda: datetime.now(UTC))
        self.accounts: Accounts = FakeAccounts(self.tables)
        self.directory: AccountDirectory = FakeAccountDirectory(self.tables)
        self.vault: CredentialVault = FakeCredentialVault(self.tables)
        self.api_keys: ApiKeys = FakeApiKeys(self.tables)
        self.operators: Operators = FakeOperators(self.tables)
        self.sessions: Sessions = FakeSessions(self.tables)
        self.sign_in_tries: SignInTries = FakeSignInTries(self.tables)
        self.second_factors: SecondFactors = FakeSecondFactors(self.tables)
        self.setup_codes: SetupCodes = FakeSetupCodes(self.tables)
        self.audit_log: AuditLog = FakeAuditLog(self.tables)
        self.connection_tokens: ConnectionTokens = FakeConnectionTokens(self.tables)
        self.inheritance: Inheritance = FakeInheritance(self.tables)
        self.proxies: Proxies = FakeProxies(self.tables)
        self.generations: Generations = FakeGenerations(self.tables)
        self.generation_directory: GenerationDirectory = FakeGenerationDirectory(self.tables)
        self.media: MediaIndex = FakeMediaIndex(self.tables)
        self.changes: ChangeFeed = FakeChangeFeed(self.tables)
        self.options: OptionValues = FakeOptionValues(self.tables)
        self.journal: Journal = FakeJournal(self.tables)
        self.request_log: RequestLog = FakeRequestLog(self.tables.records)
        self.statistics: Statistics = FakeStatistics(self.tables.records)
        self.notify_targets: NotifyTargets = FakeNotifyTargets(self.tables)
        self.told_notices: ToldNotices = FakeToldNotices(self.tables)
        self.webhooks: Webhooks = FakeWebhooks(self.tables)
        self.deliveries: Deliveries = FakeDeliveries(self.tables)
        self.past_requests: PastRequests = FakePastRequests(self.tables)
        self.health: HealthLog = FakeHealthLog(self.tables)
        self.credits_history: CreditsHistory = FakeCreditsHistory(self.tables)
        self.trash: AccountTrash = FakeAccountTrash(self.tables)
        self.opened = 0
        self.closed = 0

    async def open(self) -> None:
        self.opened += 1

    async def ping(self) -> None:
        if self.tables.fault is not None:
            raise self.tables.fault

    async def aclose(self) -> None:
        self.closed += 1

    def peek_options(self) -> Mapping[str, object]:
        return dict(self.tables.options)


def _is_a_storage(fake: FakeStorage) -> Storage:
    return fake
