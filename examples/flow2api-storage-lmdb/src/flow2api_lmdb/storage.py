"""The bundle of repositories over one engine."""

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from flow2api.domain.errors import ConfigurationError, StorageError
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
from flow2api.domain.secret import Secret
from flow2api_lmdb.engine import Engine
from flow2api_lmdb.repositories.accounts import LmdbAccountDirectory, LmdbAccounts, LmdbCredentialVault
from flow2api_lmdb.repositories.api_keys import LmdbApiKeys, LmdbConnectionTokens
from flow2api_lmdb.repositories.behind import LmdbHealthLog, LmdbJournal
from flow2api_lmdb.repositories.credits import LmdbCreditsHistory
from flow2api_lmdb.repositories.feed import LmdbChangeFeed, LmdbOptionValues
from flow2api_lmdb.repositories.generations import LmdbGenerationDirectory, LmdbGenerations, LmdbPastRequests
from flow2api_lmdb.repositories.media import LmdbMediaIndex
from flow2api_lmdb.repositories.operators import LmdbAuditLog, LmdbOperators, LmdbSessions, LmdbSignInTries
from flow2api_lmdb.repositories.proxies import LmdbProxies
from flow2api_lmdb.repositories.records import LmdbInheritance, LmdbRequestLog, LmdbStatistics
from flow2api_lmdb.repositories.second_factors import LmdbSecondFactors, LmdbSetupCodes
from flow2api_lmdb.repositories.telling import LmdbDeliveries, LmdbNotifyTargets, LmdbToldNotices, LmdbWebhooks
from flow2api_lmdb.repositories.trash import LmdbAccountTrash
from flow2api_lmdb.schema import ACCOUNTS, API_KEYS, FACTS, NOTIFY_TARGETS, OPERATORS, OPTIONS, PROXIES, WEBHOOKS
from flow2api_lmdb.tables import Step
from flow2api_lmdb.upkeep import forget_old

SCHEMA = 1
UPKEEP_INTERVAL_S = 3600.0

_log = logging.getLogger(__name__)


class LmdbStorage:
    """Everything in one folder of LMDB. Made once, opened once, closed once."""

    def __init__(self, engine: Engine, cipher: Cipher, clock: Clock) -> None:
        self._engine = engine
        self._cipher = cipher
        self._clock = clock
        self._journal = LmdbJournal(engine)
        self._health = LmdbHealthLog(engine)
        self._upkeep: asyncio.Task[None] | None = None
        self.accounts: Accounts = LmdbAccounts(engine, cipher)
        self.directory: AccountDirectory = LmdbAccountDirectory(engine)
        self.vault: CredentialVault = LmdbCredentialVault(engine, cipher, clock)
        self.api_keys: ApiKeys = LmdbApiKeys(engine)
        self.operators: Operators = LmdbOperators(engine)
        self.sessions: Sessions = LmdbSessions(engine)
        self.sign_in_tries: SignInTries = LmdbSignInTries(engine)
        self.second_factors: SecondFactors = LmdbSecondFactors(engine)
        self.setup_codes: SetupCodes = LmdbSetupCodes(engine)
        self.audit_log: AuditLog = LmdbAuditLog(engine)
        self.connection_tokens: ConnectionTokens = LmdbConnectionTokens(engine)
        self.inheritance: Inheritance = LmdbInheritance(engine)
        self.proxies: Proxies = LmdbProxies(engine)
        self.generations: Generations = LmdbGenerations(engine)
        self.generation_directory: GenerationDirectory = LmdbGenerationDirectory(engine)
        self.media: MediaIndex = LmdbMediaIndex(engine)
        self.changes: ChangeFeed = LmdbChangeFeed(engine)
        self.options: OptionValues = LmdbOptionValues(engine)
        self.journal: Journal = self._journal
        self.request_log: RequestLog = LmdbRequestLog(engine)
        self.statistics: Statistics = LmdbStatistics(engine)
        self.notify_targets: NotifyTargets = LmdbNotifyTargets(engine)
        self.told_notices: ToldNotices = LmdbToldNotices(engine)
        self.webhooks: Webhooks = LmdbWebhooks(engine)
        self.deliveries: Deliveries = LmdbDeliveries(engine)
        self.past_requests: PastRequests = LmdbPastRequests(engine)
        self.health: HealthLog = self._health
        self.credits_history: CreditsHistory = LmdbCreditsHistory(engine)
        self.trash: AccountTrash = LmdbAccountTrash(engine)

    async def open(self) -> None:
        await self._engine.open()
        try:
            holds_secrets = await self._engine.read(_holds_secrets)
            await asyncio.to_thread(self._cipher.prepare, holds_secrets=holds_secrets)
            await self._engine.write(self._check)
            await self._forget_old()
        except BaseException:
            await self._engine.aclose()
            raise
        self._journal.start()
        self._health.start()
        self._upkeep = asyncio.get_running_loop().create_task(self._keep_up(), name="lmdb upkeep")

    async def ping(self) -> None:
        await self._engine.write(lambda step: step.put(FACTS, ("pinged_at",), step.now.isoformat()))

    async def aclose(self) -> None:
        if self._upkeep is not None:
            self._upkeep.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._upkeep
            self._upkeep = None
        await self._journal.aclose()
        await self._health.aclose()
        await self._engine.aclose()

    def peek_options(self) -> Mapping[str, object]:
        return {option.name: option.value for option in self._engine.peek(OPTIONS)}

    def _check(self, step: Step) -> None:
        """Make sure that the schema is ours, and that the key opens what is sealed here."""
        schema = step.get(FACTS, "schema")
        if schema is not None and int(schema) > SCHEMA:
            raise ConfigurationError(
                f"The data has the schema {schema}, and this version knows {SCHEMA} at most; install a newer one."
            )
        step.put(FACTS, ("schema",), str(SCHEMA))
        sealed = step.get(FACTS, "key_check")
        if sealed is None or not _holds_secrets(step):
            step.put(FACTS, ("key_check",), self._cipher.seal(Secret("flow2api"), place=_KEY_CHECK))
        else:
            self._cipher.open(sealed, place=_KEY_CHECK)

    async def _keep_up(self) -> None:
        while True:
            await asyncio.sleep(UPKEEP_INTERVAL_S)
            try:
                await self._forget_old()
            except StorageError as error:
                _log.warning("old records stay for another hour, the storage refused: %s", error)

    async def _forget_old(self) -> None:
        now: datetime = self._clock.now()
        has_more = True
        while has_more:
            has_more = await self._engine.write(lambda step: forget_old(step, now))


_KEY_CHECK = "facts:key_check"


def _holds_secrets(step: Step) -> bool:
    # The digests of API keys hang on the master key as well: another one would lock out every client.
    return any(step.count(table) for table in (ACCOUNTS, API_KEYS, OPERATORS, PROXIES, NOTIFY_TARGETS, WEBHOOKS))


if TYPE_CHECKING:
    from flow2api.domain.ports.storage import KeepsCredits, KeepsDeleted, PeeksOptions, Storage

    def _is_a_storage(storage: LmdbStorage) -> Storage:
        return storage

    def _keeps_deleted(storage: LmdbStorage) -> KeepsDeleted:
        return storage

    def _tells_its_options(storage: LmdbStorage) -> PeeksOptions:
        return storage

    def _keeps_credits(storage: LmdbStorage) -> KeepsCredits:
        return storage
