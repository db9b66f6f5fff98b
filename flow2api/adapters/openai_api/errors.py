"""What each error of the tree becomes for an OpenAI client: status, type, code, and whether to try again.

The official SDKs repeat 408, 409, 429 and every 5xx twice by themselves. A generation that failed for good must
therefore say ``x-should-retry: false``, or one request of a user is paid three times.
"""

import math
from dataclasses import dataclass
from enum import Enum, auto

from flow2api.domain import errors as tree
from flow2api.domain.errors import Flow2ApiError

SHORTEST_WAIT_S = 1
LONGEST_WAIT_S = 60
"""Above this the JavaScript SDK ignores ``retry-after`` and comes back at once."""

INVALID_REQUEST = "invalid_request_error"
SERVER_ERROR = "server_error"


class Retry(Enum):
    """What a client is told about asking again."""

    AS_USUAL = auto()
    NEVER = auto()
    LATER = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """How an error is answered.

    Attributes:
        type: OpenAI's word for the class of error.
        wait_s: Seconds for ``retry-after`` when the error itself knows none.
    """

    status: int
    type: str = INVALID_REQUEST
    retry: Retry = Retry.AS_USUAL
    wait_s: int = 5


_FAILED = Answer(502, SERVER_ERROR, Retry.NEVER)
_INTERNAL = Answer(500, SERVER_ERROR, Retry.NEVER)

ANSWERS: dict[type[Exception], Answer] = {
    Flow2ApiError: _INTERNAL,
    tree.RequestError: Answer(400),
    tree.UnknownModelError: Answer(404),
    tree.UnsupportedInputError: Answer(400),
    tree.ContentBlockedError: Answer(400, "image_generation_user_error"),
    tree.InvalidApiKeyError: Answer(401),
    tree.IdempotencyConflictError: Answer(422),
    tree.GenerationNotFoundError: Answer(404),
    tree.NotReadyError: Answer(404),
    tree.ConflictError: Answer(409, retry=Retry.NEVER),
    tree.NotKnownError: Answer(404),
    tree.ChangedMeanwhileError: Answer(409, retry=Retry.NEVER),
    tree.OptionLockedError: Answer(409, retry=Retry.NEVER),
    tree.AccountNotFoundError: Answer(404),
    tree.RecordNotFoundError: Answer(404),
    tree.KeyLimitError: Answer(429, "rate_limit_error", Retry.LATER, 10),
    tree.OperatorError: Answer(403),
    tree.HostNotAllowedError: Answer(421),
    tree.SetupRequiredError: Answer(503, SERVER_ERROR, Retry.NEVER),
    tree.SetupClosedError: Answer(404),
    tree.SetupCodeRefusedError: Answer(401),
    tree.SignInRefusedError: Answer(401),
    tree.SecondFactorRequiredError: Answer(401),
    tree.TooManyTriesError: Answer(429, "rate_limit_error", Retry.LATER, 15),
    tree.NotSignedInError: Answer(401),
    tree.NotAllowedError: Answer(403),
    tree.SessionTooOldError: Answer(403),
    tree.ConnectionTokenError: Answer(401),
    tree.PoolError: Answer(503, SERVER_ERROR, Retry.LATER, 30),
    tree.NoEligibleAccountError: Answer(503, SERVER_ERROR, Retry.LATER, 30),
    tree.PoolBusyError: Answer(429, "rate_limit_error", Retry.LATER, 10),
    tree.CredentialError: _FAILED,
    tree.CredentialExpiredError: _FAILED,
    tree.CredentialRevokedError: _FAILED,
    tree.UpstreamError: _FAILED,
    tree.UpstreamRateLimitedError: Answer(429, "rate_limit_error", Retry.LATER, 30),
    tree.UpstreamRejectedError: _FAILED,
    tree.UpstreamDriftError: _FAILED,
    tree.UpstreamNotFoundError: _FAILED,
    tree.ModelAccessError: _FAILED,
    tree.UpstreamRefusedError: _FAILED,
    tree.AccountUnusableError: _FAILED,
    tree.UpstreamUnavailableError: _FAILED,
    tree.UpstreamOverloadedError: Answer(503, SERVER_ERROR, Retry.LATER, 30),
    tree.ProxyUnavailableError: Answer(503, SERVER_ERROR, Retry.LATER, 30),
    tree.UpstreamPausedError: Answer(503, SERVER_ERROR, Retry.LATER, 30),
    tree.UpstreamTimeoutError: Answer(504, SERVER_ERROR, Retry.NEVER),
    tree.UpstreamInvalidError: _FAILED,
    tree.UpstreamStateUnknownError: _FAILED,
    tree.GatewayLoopError: Answer(508, SERVER_ERROR, Retry.NEVER),
    tree.MediaError: _INTERNAL,
    tree.MediaNotFoundError: Answer(404),
    tree.MediaGoneError: Answer(410),
    tree.StorageError: _INTERNAL,
    tree.StorageBusyError: Answer(503, SERVER_ERROR, Retry.LATER, 2),
    tree.StorageFullError: Answer(503, SERVER_ERROR, Retry.NEVER),
    tree.CoordinationError: Answer(503, SERVER_ERROR, Retry.LATER, 5),
    tree.GenerationFailedError: _FAILED,
    tree.ShuttingDownError: Answer(503, SERVER_ERROR, Retry.LATER, 5),
    tree.ConfigurationError: _INTERNAL,
    tree.PluginError: _INTERNAL,
}
"""Every class of the tree has its own line, so that a new error cannot be forgotten."""

_BY_CODE = {cls.code: answer for cls, answer in ANSWERS.items() if issubclass(cls, Flow2ApiError)}
_BY_CODE["cancelled"] = Answer(409)


def answer_of(error: Flow2ApiError) -> Answer:
    """The line of the table that fits this error best."""
    if isinstance(error, tree.GenerationFailedError):
        # It failed some time ago and for good; what the code means for the status still holds.
        known = _BY_CODE.get(error.code, _FAILED)
        return Answer(known.status, known.type, Retry.NEVER)
    if isinstance(error, tree.NoEligibleAccountError) and not error.waiting_helps:
        return Answer(503, SERVER_ERROR, Retry.NEVER)
    if isinstance(error, tree.UpstreamRateLimitedError) and error.exhausted:
        return Answer(429, "insufficient_quota", Retry.NEVER)
    return next((ANSWERS[cls] for cls in type(error).__mro__ if cls in ANSWERS), _INTERNAL)


def status_of(code: str | None) -> int:
    """The status that an outcome has by itself: 200 for a good end, else what its error code is answered with."""
    return 200 if code is None else _BY_CODE.get(code, _FAILED).status


def retry_headers(answer: Answer, error: Exception) -> dict[str, str]:
    """``retry-after`` or ``x-should-retry``, as the answer asks."""
    match answer.retry:
        case Retry.NEVER:
            return {"x-should-retry": "false"}
        case Retry.LATER:
            known: float | None = getattr(error, "retry_after_s", None)
            seconds = math.ceil(known) if known is not None and math.isfinite(known) else answer.wait_s
            return {"retry-after": str(min(max(seconds, SHORTEST_WAIT_S), LONGEST_WAIT_S))}
        case Retry.AS_USUAL:
            return {}
