"""Everything that can go wrong, as one tree.

::

    Flow2ApiError
    ├── RequestError                 the caller's fault
    │   ├── UnknownModelError
    │   ├── UnsupportedInputError
    │   ├── ContentBlockedError
    │   ├── InvalidApiKeyError
    │   ├── IdempotencyConflictError
    │   ├── GenerationNotFoundError
    │   ├── NotReadyError
    │   ├── ConflictError
    │   │   ├── ChangedMeanwhileError
    │   │   ├── NotKnownError
    │   │   └── OptionLockedError
    │   ├── AccountNotFoundError
    │   ├── RecordNotFoundError
    │   ├── KeyLimitError
    │   └── OperatorError            what an operator is refused
    │       ├── HostNotAllowedError
    │       ├── SetupRequiredError
    │       ├── SetupClosedError
    │       ├── SetupCodeRefusedError
    │       ├── SignInRefusedError
    │       ├── SecondFactorRequiredError
    │       ├── TooManyTriesError
    │       ├── NotSignedInError
    │       ├── NotAllowedError
    │       ├── SessionTooOldError
    │       └── ConnectionTokenError
    ├── PoolError                    no account can serve now
    │   ├── NoEligibleAccountError
    │   └── PoolBusyError
    ├── CredentialError              an account's secret does not work
    │   ├── CredentialExpiredError
    │   └── CredentialRevokedError
    ├── UpstreamError                the remote service's fault
    │   ├── UpstreamRateLimitedError
    │   ├── UpstreamRejectedError
    │   │   ├── UpstreamDriftError
    │   │   ├── UpstreamNotFoundError
    │   │   └── ModelAccessError
    │   ├── UpstreamRefusedError
    │   ├── AccountUnusableError
    │   ├── UpstreamUnavailableError
    │   │   ├── UpstreamOverloadedError
    │   │   ├── ProxyUnavailableError
    │   │   └── UpstreamPausedError
    │   ├── UpstreamTimeoutError
    │   ├── UpstreamInvalidError
    │   ├── UpstreamStateUnknownError
    │   └── GatewayLoopError
    ├── MediaError
    │   ├── MediaNotFoundError
    │   └── MediaGoneError
    ├── StorageError
    │   ├── StorageBusyError
    │   └── StorageFullError
    ├── CoordinationError            processes cannot agree on what they share
    ├── GenerationFailedError        a finished generation that has no result
    ├── ShuttingDownError
    └── ConfigurationError
        └── PluginError

Errors carry facts and one plain sentence. Statuses and envelopes belong to the adapters. Each branch has a module; all of them
are imported from here.
"""

from flow2api.domain.errors.base import Flow2ApiError
from flow2api.domain.errors.coordination import CoordinationError
from flow2api.domain.errors.credential import CredentialError, CredentialExpiredError, CredentialRevokedError
from flow2api.domain.errors.operator import (
    ConnectionTokenError,
    HostNotAllowedError,
    NotAllowedError,
    NotSignedInError,
    OperatorError,
    SecondFactorRequiredError,
    SessionTooOldError,
    SetupClosedError,
    SetupCodeRefusedError,
    SetupRequiredError,
    SignInRefusedError,
    TooManyTriesError,
)
from flow2api.domain.errors.pool import NoEligibleAccountError, PoolBusyError, PoolError, describe_reasons
from flow2api.domain.errors.program import ConfigurationError, PluginError, ShuttingDownError
from flow2api.domain.errors.request import (
    AccountNotFoundError,
    ChangedMeanwhileError,
    ConflictError,
    ContentBlockedError,
    GenerationNotFoundError,
    IdempotencyConflictError,
    InvalidApiKeyError,
    KeyLimitError,
    NotKnownError,
    NotReadyError,
    OptionLockedError,
    RecordNotFoundError,
    RequestError,
    UnknownModelError,
    UnsupportedInputError,
)
from flow2api.domain.errors.result import GenerationFailedError, MediaError, MediaGoneError, MediaNotFoundError
from flow2api.domain.errors.storage import StorageBusyError, StorageError, StorageFullError
from flow2api.domain.errors.upstream import (
    AccountUnusableError,
    GatewayLoopError,
    ModelAccessError,
    ProxyUnavailableError,
    UpstreamDriftError,
    UpstreamError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamOverloadedError,
    UpstreamPausedError,
    UpstreamRateLimitedError,
    UpstreamRefusedError,
    UpstreamRejectedError,
    UpstreamStateUnknownError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)

__all__ = [
    "AccountNotFoundError",
    "AccountUnusableError",
    "ChangedMeanwhileError",
    "ConfigurationError",
    "ConflictError",
    "ConnectionTokenError",
    "ContentBlockedError",
    "CoordinationError",
    "CredentialError",
    "CredentialExpiredError",
    "CredentialRevokedError",
    "Flow2ApiError",
    "GatewayLoopError",
    "GenerationFailedError",
    "GenerationNotFoundError",
    "HostNotAllowedError",
    "IdempotencyConflictError",
    "InvalidApiKeyError",
    "KeyLimitError",
    "MediaError",
    "MediaGoneError",
    "MediaNotFoundError",
    "ModelAccessError",
    "NoEligibleAccountError",
    "NotAllowedError",
    "NotKnownError",
    "NotReadyError",
    "NotSignedInError",
    "OperatorError",
    "OptionLockedError",
    "PluginError",
    "PoolBusyError",
    "PoolError",
    "ProxyUnavailableError",
    "RecordNotFoundError",
    "RequestError",
    "SecondFactorRequiredError",
    "SessionTooOldError",
    "SetupClosedError",
    "SetupCodeRefusedError",
    "SetupRequiredError",
    "ShuttingDownError",
    "SignInRefusedError",
    "StorageBusyError",
    "StorageError",
    "StorageFullError",
    "TooManyTriesError",
    "UnknownModelError",
    "UnsupportedInputError",
    "UpstreamDriftError",
    "UpstreamError",
    "UpstreamInvalidError",
    "UpstreamNotFoundError",
    "UpstreamOverloadedError",
    "UpstreamPausedError",
    "UpstreamRateLimitedError",
    "UpstreamRefusedError",
    "UpstreamRejectedError",
    "UpstreamStateUnknownError",
    "UpstreamTimeoutError",
    "UpstreamUnavailableError",
    "describe_reasons",
]
