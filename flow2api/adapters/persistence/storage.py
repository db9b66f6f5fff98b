"""The bundle of repositories over one database."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from flow2api.adapters.persistence.account_directory import SqlAccountDirectory
from flow2api.adapters.persistence.accounts import SqlAccounts
from flow2api.adapters.persistence.api_keys import SqlApiKeys
from flow2api.adapters.persistence.audit_log import SqlAuditLog
from flow2api.adapters.persistence.backup import SqliteFile
from flow2api.adapters.persistence.changes import SqlChangeFeed
from flow2api.adapters.persistence.connection_tokens import SqlConnectionTokens
from flow2api.adapters.persistence.credentials import SqlCredentialVault
from flow2api.adapters.persistence.credits import SqlCreditsHistory
from flow2api.adapters.persistence.deliveries import SqlDeliveries
from flow2api.adapters.persistence.generation_directory import SqlGenerationDirectory
from flow2api.adapters.persistence.generations import SqlGenerations
from flow2api.adapters.persistence.health import SqlHealthLog
from flow2api.adapters.persistence.inheritance import SqlInheritance
from flow2api.adapters.persistence.journal import SqlJournal
from flow2api.adapters.persistence.key_check import check_key, set_fact
from flow2api.adapters.persistence.media import SqlMediaIndex
from flow2api.adapters.persistence.notify_targets import SqlNotifyTargets
from flow2api.adapters.persistence.operators import SqlOperators
from flow2api.adapters.persistence.options import SqlOptionValues
from flow2api.adapters.persistence.past_requests import SqlPastRequests
from flow2api.adapters.persistence.proxies import SqlProxies
from flow2api.adapters.persistence.request_log import SqlRequestLog
from flow2api.adapters.persistence.second_factors import SqlSecondFactors
from flow2api.adapters.persistence.sessions import SqlSessions
from flow2api.adapters.persistence.setup_codes import SqlSetupCodes
from flow2api.adapters.persistence.sign_in_tries import SqlSignInTries
from flow2api.adapters.persistence.sqlite import SqliteDatabase
from flow2api.adapters.persistence.sqlite_file import path_of, peek_options
from flow2api.adapters.persistence.statistics import SqlStatistics
from flow2api.adapters.persistence.told_notices import SqlToldNotices
from flow2api.adapters.persistence.trash import SqlAccountTrash
from flow2api.adapters.persistence.upkeep import forget_old
from flow2api.adapters.persistence.webhooks import SqlWebhooks
from flow2api.domain.errors import StorageError
from flow2api.domain.ports.account_directory import AccountDirectory
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.connection_tokens import ConnectionTokens
from flow2api.domain.ports.legacy import Inheritance
from flow2api.domain.ports.notifications import NotifyTargets, ToldNotices
from flow2api.domain.ports.proxies import Proxies
from flow2api.domain.ports.request_log import RequestLog
from flow2api.domain.ports.second_factors import SecondFactors
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.sessions import Sessions, SignInTries
from flow2api.domain.ports.setup_codes import SetupCodes
from flow2api.domain.ports.statistics import Statistics
from flow2api.domain.ports.storage import (
    Accounts,
    AccountTrash,
    ApiKeys,
    ChangeFeed,
    CredentialVault,
    CreditsHistory,
    Examination,
    GenerationDirectory,
    Generations,
    HealthLog,
    Journal,
    MediaIndex,
    Operators,
    OptionValues,
    PastRequests,
)
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.webhooks import Deliveries, Webhooks

UPKEEP_INTERVAL_S = 3600.0

_log = logging.getLogger(__name__)


class SqlStorage:
    """Everything in one SQL database. Made once, opened once, closed once."""

    def __init__(
        self, database: SqliteDatabase, cipher: Cipher, clock: Clock, *, flush_interval_s: float | None = None
    ) -> None:
        """Args:
        flush_interval_s: How long what is noted waits for more of its kind; None for the usual time.
        """
        self._database = database
        self._cipher = cipher
        self._clock = clock
        intervals = {} if flush_interval_s is None else {"interval_s": flush_interval_s}
        self._journal = SqlJournal(database, **intervals)
        self._health = SqlHealthLog(database, **intervals)
        self._upkeep: asyncio.Task[None] | None = None
        self.accounts: Accounts = SqlAccounts(database, cipher, clock)
        self.directory: AccountDirectory = SqlAccountDirectory(database)
        self.vault: CredentialVault = SqlCredentialVault(database, cipher, clock)
        self.api_keys: ApiKeys = SqlApiKeys(database, clock)
        self.operators: Operators = SqlOperators(database, clock)
        self.sessions: Sessions = SqlSessions(database)
        self.sign_in_tries: SignInTries = SqlSignInTries(database)
        self.second_factors: SecondFactors = SqlSecondFactors(database, cipher)
        self.setup_codes: SetupCodes = SqlSetupCodes(database)
        self.audit_log: AuditLog = SqlAuditLog(database)
        self.connection_tokens: ConnectionTokens = SqlConnectionTokens(database)
        self.inheritance: Inheritance = SqlInheritance(database)
        self.proxies: Proxies = SqlProxies(database, cipher, clock)
        self.generations: Generations = SqlGenerations(database, clock)
        self.generation_directory: GenerationDirectory = SqlGenerationDirectory(database)
        self.media: MediaIndex = SqlMediaIndex(database)
        self.changes: ChangeFeed = SqlChangeFeed(database)
        self.options: OptionValues = SqlOptionValues(database, clock)
        self.journal: Journal = self._journal
        self.request_log: RequestLog = SqlRequestLog(database)
        self.statistics: Statistics = SqlStatistics(database)
        self.notify_targets: NotifyTargets = SqlNotifyTargets(database, cipher)
        self.told_notices: ToldNotices = SqlToldNotices(database)
        self.webhooks: Webhooks = SqlWebhooks(database, cipher, clock)
        self.deliveries: Deliveries = SqlDeliveries(database)
        self.past_requests: PastRequests = SqlPastRequests(database)
        self.health: HealthLog = self._health
        self.credits_history: CreditsHistory = SqlCreditsHistory(database)
        self.trash: AccountTrash = SqlAccountTrash(database, cipher, clock)

    async def open(self) -> None:
        await self._database.open()
        try:
            await check_key(self._database, self._cipher)
            await self._forget_old()
        except BaseException:
            await self._database.aclose()
            raise
        self._journal.start()
        self._health.start()
        self._upkeep = asyncio.get_running_loop().create_task(self._keep_up(), name="database upkeep")

    async def ping(self) -> None:
        # A real write: a full disk lets an empty transaction pass.
        await set_fact(self._database, "pinged_at", self._clock.now().isoformat())

    async def aclose(self) -> None:
        if self._upkeep is not None:
            self._upkeep.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._upkeep
        await self._journal.aclose()
        await self._health.aclose()
        await self._database.aclose()

    async def _keep_up(self) -> None:
        while True:
            await asyncio.sleep(UPKEEP_INTERVAL_S)
            try:
                await self._forget_old()
            except StorageError as error:
                _log.warning("old rows stay for another hour, the database refused: %s", error)

    async def _forget_old(self) -> None:
        now = self._clock.now()
        await self._database.write(lambda connection: forget_old(connection, now))


class SqliteStorage(SqlStorage):
    """Everything in one SQLite file, which can also be looked at closely, copied and put back as a whole."""

    def __init__(self, path: Path, cipher: Cipher, clock: Clock) -> None:
        super().__init__(SqliteDatabase(path), cipher, clock)
        self._path = path
        self._file = SqliteFile(path, cipher)

    async def examine(self) -> Examination:
        return await self._file.examine()

    async def back_up(self, target: Path) -> int:
        return await self._file.back_up(target)

    async def restore(self, source: Path) -> Path | None:
        return await self._file.restore(source)

    def peek_options(self) -> Mapping[str, object]:
        return peek_options(self._path)


def open_url(url: str, cipher: Cipher, clock: Clock) -> SqliteStorage:
    """The storage that a URL names; it connects when it is opened.

    Raises:
        ConfigurationError: The URL is of no form that we know.
    """
    return SqliteStorage(path_of(url), cipher, clock)


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import KeepsCredits, KeepsDeleted, Maintains, PeeksOptions, Storage

    def _is_a_storage(storage: SqlStorage) -> Storage:
        return storage

    def _keeps_credits(storage: SqlStorage) -> KeepsCredits:
        return storage

    def _keeps_deleted(storage: SqlStorage) -> KeepsDeleted:
        return storage

    def _is_maintained(storage: SqliteStorage) -> Maintains:
        return storage

    def _tells_its_options(storage: SqliteStorage) -> PeeksOptions:
        return storage
