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
    │   │   └── OptionLockedError
    │   ├── AccountNotFoundError
    │   ├── RecordNotFoundError
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
    ├── GenerationFailedError        a finished generation that has no result
    ├── ShuttingDownError
    └── ConfigurationError
        └── PluginError

Errors carry facts and one plain sentence. Statuses and envelopes belong to the adapters.
"""

from collections.abc import Collection, Mapping, Sequence

from flow2api.domain.secret import Secret

_LONGEST_SHOWN_HOST = 100


class Flow2ApiError(Exception):
    """Base of every error that flow2api raises on purpose.

    Attributes:
        code: Stable, machine readable; part of the public interface.
        message: One sentence that says what happened and what to do; safe to show to a caller.
    """

    code: str = "internal_error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


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


class OperatorError(RequestError):
    """An operator, or who would be one, is refused."""

    code = "operator_refused"


class HostNotAllowedError(OperatorError):
    """The request names a host that the server is not known by; a foreign page may have led a browser here."""

    code = "host_not_allowed"

    def __init__(self, host: str) -> None:
        shown = "".join(one for one in host if one.isascii() and one.isprintable())[:_LONGEST_SHOWN_HOST]
        super().__init__(
            f"This server does not know itself by the name {shown!r}. If it is right, add it to the setting allowed_hosts "
            "(FLOW2API_ALLOWED_HOSTS) and start again; an IP address needs no entry."
        )


class SetupRequiredError(OperatorError):
    """There is no operator yet, so nobody can sign in."""

    code = "setup_required"

    def __init__(self) -> None:
        super().__init__(
            "There is no operator yet. The first one sets himself up at /setup, or is made with `flow2api operator create`."
        )


class SetupClosedError(OperatorError):
    """There is an operator, so nobody sets himself up any more."""

    code = "setup_closed"

    def __init__(self) -> None:
        super().__init__("The server is set up already. Sign in, or have an owner make you an operator.")


class SetupCodeRefusedError(OperatorError):
    """The setup code is wrong, or has ended."""

    code = "invalid_setup_code"

    def __init__(self) -> None:
        super().__init__(
            "The setup code is wrong or has ended. The server's log tells the present one, and "
            "`flow2api operator setup-code` makes another."
        )


class SignInRefusedError(OperatorError):
    """Name, passphrase and code do not belong together; which of them is wrong is not told."""

    code = "invalid_credentials"

    def __init__(self) -> None:
        super().__init__("The name or the passphrase is wrong, or the code if one was sent.")


class SecondFactorRequiredError(OperatorError):
    """Name and passphrase are right; the operator has a second factor, and no code was given."""

    code = "totp_required"

    def __init__(self) -> None:
        super().__init__("Send the present code of your app too, or one of the recovery codes.")


class TooManyTriesError(OperatorError):
    """It was tried too often to sign in; the try was not even looked at.

    Attributes:
        retry_after_s: When the next one is.
    """

    code = "too_many_tries"

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"Too many tries to sign in. Wait {max(1, round(retry_after_s))} s before the next one.")
        self.retry_after_s = retry_after_s


class NotSignedInError(OperatorError):
    """No session was presented, or one that has ended."""

    code = "not_signed_in"

    def __init__(self, *, presented: bool) -> None:
        super().__init__(
            "The session has ended or never was. Sign in again at /api/admin/login."
            if presented
            else "Sign in at /api/admin/login, and send the token that it gives as `Authorization: Bearer TOKEN`."
        )
        self.presented = presented


class NotAllowedError(OperatorError):
    """The operator's role does not include this."""

    code = "not_allowed"


class ConnectionTokenError(OperatorError):
    """The browser extension has presented no token, or one that opens nothing."""

    code = "invalid_connection_token"

    def __init__(self) -> None:
        super().__init__("The connection token is wrong. Copy the present one into the extension's settings.")


class PoolError(Flow2ApiError):
    """No account can serve the request now.

    Attributes:
        reasons: How many accounts were refused for what.
    """

    def __init__(self, message: str, reasons: Mapping[str, int]) -> None:
        super().__init__(message)
        self.reasons = dict(reasons)


def describe_reasons(reasons: Mapping[str, int]) -> str:
    """Counts by reason as words, the most frequent first: ``"3 busy, 1 no_tier"``."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {reason}" for reason, count in ordered) or "the pool is empty"


class NoEligibleAccountError(PoolError):
    """No account could serve: there is none of the needed kind, or all of them rest.

    Attributes:
        waiting_helps: Whether time alone may cure it.
    """

    code = "no_account_available"

    def __init__(self, reasons: Mapping[str, int], *, waiting_helps: bool = False) -> None:
        super().__init__(f"No account can serve this request: {describe_reasons(reasons)}.", reasons)
        self.waiting_helps = waiting_helps


class PoolBusyError(PoolError):
    """Accounts that could serve are busy or rate limited.

    Attributes:
        retry_after_s: When it is worth asking again, in seconds, if known.
    """

    code = "rate_limit_exceeded"

    def __init__(self, reasons: Mapping[str, int], *, retry_after_s: float | None = None) -> None:
        super().__init__(
            f"All accounts that could serve this request are busy or rest: {describe_reasons(reasons)}. Try again shortly.",
            reasons,
        )
        self.retry_after_s = retry_after_s


class CredentialError(Flow2ApiError):
    """An account's own secret was refused by the upstream."""

    code = "credential_refused"


class CredentialExpiredError(CredentialError):
    """The access token is dead; a fresh exchange may help."""

    code = "credential_expired"


class CredentialRevokedError(CredentialError):
    """The session token or key is refused; only a new one helps.

    Attributes:
        after_renewal: The exchange worked, and the access token that it brought is refused, or over. When many accounts meet
            this at once, it tells of the service or of our clock.
    """

    code = "credential_revoked"

    def __init__(self, message: str, *, after_renewal: bool = False) -> None:
        super().__init__(message)
        self.after_renewal = after_renewal


class UpstreamError(Flow2ApiError):
    """The remote service failed to do what it was asked.

    Attributes:
        reason: Upstream's own word for it, when it gave one.
    """

    code = "upstream_error"

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason


class UpstreamRateLimitedError(UpstreamError):
    """The account asked too much.

    Attributes:
        retry_after_s: Seconds that upstream asked us to wait, if it did.
        per_model: The limit is on this account and this model only.
        per_kind: The limit is on calls of this kind only: on the jobs that run at once, say.
        exhausted: Credits or a day's share are used up; else it was only too fast.
    """

    code = "upstream_rate_limited"

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        retry_after_s: float | None = None,
        per_model: bool = False,
        per_kind: bool = False,
        exhausted: bool = False,
    ) -> None:
        super().__init__(message, reason=reason)
        self.retry_after_s = retry_after_s
        self.per_model = per_model
        self.per_kind = per_kind
        self.exhausted = exhausted


class UpstreamRejectedError(UpstreamError):
    """Upstream refused the call for its content; another account would fare alike unless a subclass says so."""

    code = "upstream_rejected"


class UpstreamDriftError(UpstreamRejectedError):
    """Upstream does not know the shape of our call any more; nobody's account is to blame."""

    code = "upstream_protocol_drift"


class UpstreamNotFoundError(UpstreamRejectedError):
    """A media or project id is foreign to the account or has expired."""

    code = "upstream_entity_not_found"


class ModelAccessError(UpstreamRejectedError):
    """The account's plan does not include this model."""

    code = "model_access_denied"


class UpstreamRefusedError(UpstreamError):
    """An anti-abuse refusal. It is reported for what it is, and the account rests."""

    code = "upstream_refused"


class AccountUnusableError(UpstreamError):
    """The account cannot be used at all: region, age, or it was moved to another service."""

    code = "account_unusable"


class UpstreamUnavailableError(UpstreamError):
    """No usable answer came.

    Attributes:
        reached: Whether the call may have been carried out: False only when no connection came about, or when an
            error envelope proves that nothing was made.
    """

    code = "upstream_unavailable"

    def __init__(self, message: str, *, reached: bool, reason: str | None = None) -> None:
        super().__init__(message, reason=reason)
        self.reached = reached


class UpstreamOverloadedError(UpstreamUnavailableError):
    """The whole service says that it is busy; nobody's account is to blame.

    Attributes:
        retry_after_s: Seconds that upstream asked us to wait, if it did.
    """

    code = "upstream_overloaded"

    def __init__(self, message: str, *, reason: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message, reached=False, reason=reason)
        self.retry_after_s = retry_after_s


class ProxyUnavailableError(UpstreamUnavailableError):
    """The proxy lets nothing through, so upstream was not reached; neither the account nor the service is to blame.

    Attributes:
        is_certain: The proxy itself failed; else it may be that it only could not reach its target.
        proxy: Its URL; None when there was none that could have been used.
    """

    code = "proxy_unavailable"

    def __init__(self, message: str, *, is_certain: bool, proxy: Secret | None = None) -> None:
        super().__init__(message, reached=False)
        self.is_certain = is_certain
        self.proxy = proxy


class UpstreamPausedError(UpstreamUnavailableError):
    """We call the service for nobody now: it failed for most accounts a moment ago. Nothing was sent.

    Attributes:
        retry_after_s: Seconds until it is tried again.
    """

    code = "upstream_paused"

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(
            f"The service fails for most accounts, so it is left alone for {retry_after_s:.0f} s; try again then.",
            reached=False,
        )
        self.retry_after_s = retry_after_s


class UpstreamTimeoutError(UpstreamError):
    """No answer came in time; the call may have been carried out."""

    code = "upstream_timeout"


class UpstreamInvalidError(UpstreamError):
    """An answer came that cannot be read; the call may have been carried out."""

    code = "upstream_invalid"


class UpstreamStateUnknownError(UpstreamError):
    """A paid submit went out and nobody knows whether it was carried out; it is never sent again by itself."""

    code = "upstream_state_unknown"


class GatewayLoopError(UpstreamError):
    """Gateways that are chained lead back to each other; nobody's account is to blame, and another one may lead elsewhere."""

    code = "gateway_loop"

    def __init__(self) -> None:
        super().__init__(
            "The request has come back to a gateway that it went through, or through too many of them; take the account "
            "that leads back out of the chain."
        )


class MediaError(Flow2ApiError):
    """A picture or video of ours cannot be given out."""

    code = "media_error"


class MediaNotFoundError(MediaError):
    """No such media, or it belongs to another key."""

    code = "not_found"


class MediaGoneError(MediaError):
    """The media was kept once, and its retention is over or its bytes are damaged."""

    code = "media_gone"


class StorageError(Flow2ApiError):
    """The database refused."""

    code = "storage_error"


class StorageBusyError(StorageError):
    """The database stayed locked longer than we wait."""

    code = "storage_busy"


class StorageFullError(StorageError):
    """There is no room left for the database or the media."""

    code = "storage_full"


class GenerationFailedError(Flow2ApiError):
    """A generation that ended without a result, told to somebody who came later.

    Attributes:
        code: The code under which it failed.
    """

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class ShuttingDownError(Flow2ApiError):
    """The server takes no new work: it is stopping."""

    code = "shutting_down"


class ConfigurationError(Flow2ApiError):
    """A setting is wrong; the message names it and the cure."""

    code = "configuration_error"


class PluginError(ConfigurationError):
    """A plugin cannot be loaded, or two of them want the same name."""

    code = "plugin_error"
