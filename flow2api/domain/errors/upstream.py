"""The remote service's fault, or that of the way to it."""

from flow2api.domain.errors.base import Flow2ApiError
from flow2api.domain.secret import Secret


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
