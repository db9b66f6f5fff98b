"""What an error means for the account that met it, and whether another account may try."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from flow2api.domain.account import Account, CallKind, Cure, RestReason
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import (
    AccountUnusableError,
    CredentialError,
    CredentialExpiredError,
    CredentialRevokedError,
    Flow2ApiError,
    ModelAccessError,
    ProxyUnavailableError,
    RequestError,
    UpstreamError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamOverloadedError,
    UpstreamPausedError,
    UpstreamRateLimitedError,
    UpstreamRefusedError,
    UpstreamStateUnknownError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from flow2api.domain.rest import DOUBT_STEPS

NO_ACCESS_REST = timedelta(hours=24)


class Next(Enum):
    """What may follow a failed attempt, as long as nothing has been spent."""

    GIVE_UP = auto()
    ANOTHER_ACCOUNT = auto()
    SAME_ACCOUNT_AFRESH = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an error means.

    Attributes:
        rests: The reason for which the account has to rest at once, if any.
        is_own_fault: It may count towards the account's streak (if others do not show the same now).
    """

    next: Next
    rests: RestReason | None = None
    is_own_fault: bool = False


def judge(error: Exception) -> Verdict:
    """What follows from an error that an attempt on an account met.

    A caller's fault and an unknown error never touch the account.
    """
    match error:
        case CredentialError():
            return Verdict(Next.ANOTHER_ACCOUNT, RestReason.AUTH_EXPIRED)
        case AccountUnusableError():
            return Verdict(Next.ANOTHER_ACCOUNT, RestReason.UNUSABLE)
        case UpstreamRefusedError():
            return Verdict(Next.GIVE_UP, RestReason.REFUSED)
        case UpstreamRateLimitedError(exhausted=exhausted):
            return Verdict(Next.ANOTHER_ACCOUNT, RestReason.QUOTA if exhausted else RestReason.RATE_LIMITED)
        case ModelAccessError():
            return Verdict(Next.ANOTHER_ACCOUNT, RestReason.NO_ACCESS)
        case UpstreamNotFoundError():
            return Verdict(Next.SAME_ACCOUNT_AFRESH)
        case UpstreamStateUnknownError(__cause__=cause):
            return Verdict(Next.GIVE_UP, is_own_fault=isinstance(cause, Exception) and judge(cause).is_own_fault)
        case UpstreamOverloadedError() | UpstreamPausedError() | ProxyUnavailableError():
            return Verdict(Next.ANOTHER_ACCOUNT)
        case UpstreamUnavailableError() | UpstreamTimeoutError() | UpstreamInvalidError():
            return Verdict(Next.ANOTHER_ACCOUNT, is_own_fault=True)
        case _:
            return Verdict(Next.GIVE_UP)


_OF_ONE_CALL = frozenset({RestReason.RATE_LIMITED, RestReason.QUOTA})
"""What an enlargement or upload meets of these says nothing about what else the account can do."""

_OF_THE_SIGN_IN = frozenset({RestReason.AUTH_EXPIRED, RestReason.UNUSABLE})
"""What a download may bring to light about the account; the rest is the business of the host that keeps the media."""


def tells_that_it_fares_well(error: BaseException) -> bool | None:
    """Whether the whole service seems to fare well when a call ends so; None when that can't be told.

    It does badly when no answer comes, none in time, none that can be read, or when it refuses the very token that it
    has just given. A refusal is an answer like any other.
    """
    match error:
        case UpstreamOverloadedError() | UpstreamPausedError() | ProxyUnavailableError() | CredentialExpiredError():
            return None
        case UpstreamUnavailableError() | UpstreamTimeoutError() | UpstreamInvalidError():
            return False
        case CredentialRevokedError(after_renewal=True):
            return False
        case UpstreamError() | CredentialError() | RequestError():
            return True
        case _:
            return None


def after_error(
    account: Account,
    error: Exception,
    spec: ModelSpec | None,
    now: datetime,
    *,
    threshold: int,
    call: CallKind | None = None,
) -> Account:
    """The account with what this error means for its health.

    Args:
        spec: What was asked of it; None when the call had nothing to do with a model.
        threshold: Faults of its own in a row, at one kind of call, after which it rests from such calls.
        call: The kind of call that met the error; None stands for the one that makes what was asked.
    """
    verdict = judge(error)
    model = None if spec is None else spec.name
    call = CallKind.making(spec.kind) if call is None and spec is not None else call
    is_aside = call in (CallKind.ENLARGEMENT, CallKind.UPLOAD)
    why = cause_of(error)
    if call is CallKind.DOWNLOAD and verdict.rests not in _OF_THE_SIGN_IN:
        return account
    match verdict.rests:
        case None:
            return account.faulted(now, threshold=threshold, why=why, call=call) if verdict.is_own_fault else account
        case RestReason.AUTH_EXPIRED:
            if account.rest_of(RestReason.AUTH_EXPIRED) is not None:
                return account
            return replace(account.resting(RestReason.AUTH_EXPIRED, now, why=why), access_expires_at=None)
        case RestReason.UNUSABLE:
            return account.resting(RestReason.UNUSABLE, now, why=why)
        case RestReason.NO_ACCESS:
            if model is None:
                return account
            # A plan that does not enlarge still makes the plain ones, and so does one that may not upload.
            scope = call if is_aside else None
            until = now + NO_ACCESS_REST
            return account.resting(RestReason.NO_ACCESS, now, until=until, model=model, why=why, call=scope)
        case reason:
            limited = error if isinstance(error, UpstreamRateLimitedError) else None
            return account.rate_limited(
                now,
                retry_after_s=None if limited is None else limited.retry_after_s,
                model=model if limited is not None and limited.per_model else None,
                why=why,
                reason=reason,
                call=call if _is_of_one_call(reason, limited, call) else None,
            )


def _is_of_one_call(reason: RestReason, limited: UpstreamRateLimitedError | None, call: CallKind | None) -> bool:
    """Whether a limit says nothing about what else the account can do.

    Whoever has used up what his videos cost still makes pictures, which cost nothing. That it was too fast, or looked
    like abuse, is about the account.
    """
    if call is CallKind.ENLARGEMENT:
        return True
    if call is CallKind.UPLOAD:
        return reason in _OF_ONE_CALL
    return limited is not None and not limited.per_model and (limited.exhausted or limited.per_kind)


def cause_of(error: Exception) -> str:
    """What an account's timeline says about an error."""
    return (error.reason or error.message) if isinstance(error, UpstreamError) else str(error)


def doubted(account: Account, now: datetime) -> Account:
    """The account after a refusal of its fresh token that others meet as well: it rests for a while, and is tried again."""
    why = "the fresh access tokens of several accounts are of no use at once"
    return account.faulted(now, threshold=1, why=why, steps=DOUBT_STEPS)


def is_doubted_in_vain(account: Account, now: datetime) -> bool:
    """Whether an account that was given the benefit of the doubt has had all its trials."""
    rest = account.rest_of(RestReason.ERROR_STREAK)
    return rest is not None and rest.step >= len(DOUBT_STEPS) - 1 and not rest.holds(now)


def reinstated(account: Account, expires_at: datetime | None, now: datetime) -> Account:
    """The account whose session was thought to have ended, now that others meet the same; it is doubted like them.

    Args:
        expires_at: When its access token ends.
    """
    if account.rest_of(RestReason.AUTH_EXPIRED) is None:
        return account
    return doubted(replace(account.cured(Cure.NEW_CREDENTIAL), access_expires_at=expires_at), now)


def may_have_been_carried_out(error: Exception) -> bool:
    """Whether a submit that met this error may have reached its end upstream all the same."""
    match error:
        case UpstreamUnavailableError(reached=reached):
            return reached
        case UpstreamTimeoutError() | UpstreamInvalidError():
            return True
        case _:
            return False


def after_submit(error: Flow2ApiError, spec: ModelSpec) -> Flow2ApiError:
    """What an error of the call that spends means: itself, or that nobody knows whether credits were spent.

    What costs nothing may be sent again; the latter never is.
    """
    if spec.is_free or not may_have_been_carried_out(error):
        return error
    unknown = UpstreamStateUnknownError(
        f"The service did not answer the request that spends credits, so nobody knows whether the {spec.kind.value} is "
        f"being made; it is not sent again by itself. ({error.message})"
    )
    unknown.__cause__ = error
    return unknown
