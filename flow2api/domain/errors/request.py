"""The caller's fault."""

from collections.abc import Collection, Sequence
from datetime import datetime
from math import ceil

from flow2api.domain.errors.base import Flow2ApiError
from flow2api.domain.quantity import counted

_SOON_S = 10.0
"""When nobody knows when a generation ends, that is when to ask again."""


class RequestError(Flow2ApiError):
    """What was asked cannot be done, whoever asks upstream.

    Attributes:
        param: Path of the offending field in the request, if one field is to blame.
    """

    code = "invalid_value"

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class UnknownModelError(RequestError):
    """No model or alias has this name."""

    code = "model_not_found"

    def __init__(self, name: str, nearest: Sequence[str] = ()) -> None:
        hint = f" Did you mean {', '.join(nearest)}?" if nearest else " The list of models shows what there is."
        super().__init__(f"The model {name[:128]!r} does not exist.{hint}", param="model")
        self.name = name
        self.nearest = tuple(nearest)


class UnsupportedInputError(RequestError):
    """A field is missing, of the wrong type, out of range, or not an input that we can read.

    Args:
        code: A more precise code than ``invalid_value`` (such as ``invalid_image``).
    """

    def __init__(self, message: str, *, param: str | None = None, code: str = "invalid_value") -> None:
        super().__init__(message, param=param)
        self.code = code


class ContentBlockedError(RequestError):
    """Upstream's safety filter refused the prompt, an input picture or the result."""

    code = "moderation_blocked"

    def __init__(self, reason: str | None = None) -> None:
        why = f" ({reason})" if reason else ""
        super().__init__(
            f"The request was refused by the service's safety filter{why}. Change the prompt or the pictures."
        )
        self.reason = reason


class InvalidApiKeyError(RequestError):
    """No key was presented, or one that opens nothing.

    Attributes:
        presented: Whether there was a key at all.
    """

    code = "invalid_api_key"

    def __init__(self, *, presented: bool) -> None:
        super().__init__(
            "The API key is wrong or was revoked. Use a key that `flow2api keys create` or the console has shown."
            if presented
            else "No API key was given. Send it as `Authorization: Bearer KEY`."
        )
        self.presented = presented


class ExpiredApiKeyError(InvalidApiKeyError):
    """The key was a good one until its time was over."""

    code = "expired_api_key"

    def __init__(self, expired_at: datetime) -> None:
        super().__init__(presented=True)
        self.message = (
            f"The API key expired on {expired_at:%Y-%m-%d at %H:%M} UTC. Use another one, or have an owner of this server"
            " set a later date."
        )
        self.args = (self.message,)


class KeyScopeError(RequestError):
    """The key is not for this part of the API.

    Attributes:
        scope: What it lacks.
    """

    code = "permission_denied"

    def __init__(self, scope: str) -> None:
        super().__init__(
            f"This API key lacks the scope {scope!r}. Use another one, or have an owner of this server add it."
        )
        self.scope = scope


class ModelNotAllowedError(RequestError):
    """The key may not use this model, which its holder is told as if there were none."""

    code = "model_not_found"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The model {name[:128]!r} does not exist, or this API key may not use it. The list of models shows what it may.",
            param="model",
        )
        self.name = name


class IdempotencyConflictError(RequestError):
    """The idempotency key was used before with another body."""

    code = "idempotency_key_reused"


class GenerationNotFoundError(RequestError):
    """No such generation, or it belongs to another key."""

    code = "not_found"

    def __init__(self, generation_id: str, *, param: str = "video_id") -> None:
        super().__init__(f"No video with the id {generation_id[:64]!r} exists for this key.", param=param)


class NotReadyError(RequestError):
    """The result does not exist yet, or never will because the generation failed."""

    code = "not_ready"


class ConflictError(RequestError):
    """The thing exists already or is not in a state that allows this."""

    code = "conflict"


class NotKnownError(ConflictError):
    """There is nothing with this name or id (any more)."""

    code = "not_found"


class ChangedMeanwhileError(ConflictError):
    """What somebody wants to change is not any more as he has seen it."""

    code = "changed_meanwhile"

    def __init__(self, fields: Collection[str]) -> None:
        """Name the fields that were changed by somebody else."""
        super().__init__(
            f"Somebody else has changed {', '.join(fields)} meanwhile; look again and repeat what you did."
        )
        self.fields = tuple(fields)


class OptionLockedError(ConflictError):
    """The option is fixed in the settings file or the environment, and can only be changed there."""

    code = "option_locked"


class AccountNotFoundError(RequestError):
    """There is no account with this id (any more)."""

    code = "account_not_found"

    def __init__(self, account_id: int) -> None:
        super().__init__(f"There is no account with the id {account_id}.", param="id")


class RecordNotFoundError(RequestError):
    """There is no line with this number in the request log (any more)."""

    code = "record_not_found"

    def __init__(self, number: int) -> None:
        super().__init__(f"There is no line {number} in the request log.", param="id")


class KeyLimitError(RequestError):
    """The key has begun as many requests as it may for now; nothing was begun.

    Attributes:
        limit: How many it may.
        retry_after_s: When it may begin the next one, in seconds.
    """

    code = "rate_limit_exceeded"

    def __init__(self, limit: int, retry_after_s: float) -> None:
        super().__init__(
            f"This API key may begin {counted(limit, 'request')} a minute and has begun them; "
            f"try again in {ceil(retry_after_s)} s."
        )
        self.limit = limit
        self.retry_after_s = retry_after_s


class KeyConcurrencyError(KeyLimitError):
    """As many generations of the key wait or run as may at once; nothing was begun."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit, _SOON_S)
        self.message = (
            f"This API key may have {counted(limit, 'generation')} under way at once, and this would be more; "
            "try again when one has ended."
        )
        self.args = (self.message,)


class KeyDayLimitError(KeyLimitError):
    """The key has had made as much as it may on this day of UTC; nothing was begun."""

    def __init__(self, limit: int, retry_after_s: float) -> None:
        super().__init__(limit, retry_after_s)
        self.message = (
            f"This API key may have {counted(limit, 'result')} made a day, and this would be more; "
            "the next day begins at midnight UTC."
        )
        self.args = (self.message,)
