"""No account can serve now."""

from collections.abc import Mapping

from flow2api.domain.errors.base import Flow2ApiError


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
