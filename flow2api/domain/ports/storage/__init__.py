"""What is kept in the database: one repository per kind of thing, and the bundle that a storage plugin hands out.

A method is one short atomic step. Whoever calls it holds nothing open.
"""

from typing import Protocol

from flow2api.domain.ports.account_directory import AccountDirectory
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
from flow2api.domain.ports.storage.accounts import Accounts, Changed
from flow2api.domain.ports.storage.api_keys import ApiKeys
from flow2api.domain.ports.storage.changes import Change, ChangeFeed, TellsOwnChanges
from flow2api.domain.ports.storage.credentials import CredentialVault
from flow2api.domain.ports.storage.credits import CreditsHistory, KeepsCredits
from flow2api.domain.ports.storage.generation_directory import (
    CountsNames,
    FindsPrompts,
    GenerationDirectory,
    GenerationFilter,
    NameCount,
)
from flow2api.domain.ports.storage.generations import Generations, IdempotencyClaim, Page
from flow2api.domain.ports.storage.health import HealthLog, TellsChecks
from flow2api.domain.ports.storage.journal import CountsDropped, Journal, LogEntry
from flow2api.domain.ports.storage.maintenance import Examination, Maintains
from flow2api.domain.ports.storage.media import MediaIndex
from flow2api.domain.ports.storage.operators import Operators
from flow2api.domain.ports.storage.options import OptionValues, PeeksOptions
from flow2api.domain.ports.storage.past_requests import PastRequest, PastRequests
from flow2api.domain.ports.storage.trash import AccountTrash, KeepsDeleted
from flow2api.domain.ports.webhooks import Deliveries, Webhooks

__all__ = [
    "AccountTrash",
    "Accounts",
    "ApiKeys",
    "Change",
    "ChangeFeed",
    "Changed",
    "CountsDropped",
    "CountsNames",
    "CredentialVault",
    "CreditsHistory",
    "Examination",
    "FindsPrompts",
    "GenerationDirectory",
    "GenerationFilter",
    "Generations",
    "HealthLog",
    "IdempotencyClaim",
    "Journal",
    "KeepsCredits",
    "KeepsDeleted",
    "LogEntry",
    "Maintains",
    "MediaIndex",
    "NameCount",
    "Operators",
    "OptionValues",
    "Page",
    "PastRequest",
    "PastRequests",
    "PeeksOptions",
    "Storage",
    "TellsChecks",
    "TellsOwnChanges",
]


class Storage(Protocol):
    """The whole set of repositories that one database serves."""

    accounts: Accounts
    directory: AccountDirectory
    vault: CredentialVault
    api_keys: ApiKeys
    operators: Operators
    sessions: Sessions
    sign_in_tries: SignInTries
    second_factors: SecondFactors
    setup_codes: SetupCodes
    audit_log: AuditLog
    connection_tokens: ConnectionTokens
    inheritance: Inheritance
    proxies: Proxies
    generations: Generations
    generation_directory: GenerationDirectory
    media: MediaIndex
    changes: ChangeFeed
    options: OptionValues
    journal: Journal
    request_log: RequestLog
    statistics: Statistics
    notify_targets: NotifyTargets
    told_notices: ToldNotices
    webhooks: Webhooks
    deliveries: Deliveries
    past_requests: PastRequests
    health: HealthLog

    async def open(self) -> None:
        """Connect, bring the schema up to date, start what runs behind.

        Raises:
            ConfigurationError: The schema is newer than this program, or the secrets cannot be read with the key.
        """
        ...

    async def ping(self) -> None:
        """Raise `StorageError` when the database cannot be written now."""
        ...

    async def aclose(self) -> None:
        """Write what is pending and disconnect."""
        ...
