"""What the page of an account says first: how it stands, what that means, and what to do."""

from dataclasses import dataclass
from datetime import datetime

from flow2api.adapters.console.account_states import reason_words
from flow2api.adapters.console.accounts.timeline import scope_words
from flow2api.adapters.console.language import gettext, retold
from flow2api.domain.account import Account, CredentialKind, Rest, RestReason
from flow2api.domain.account_state import AccountState, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message.

    Attributes:
        kind: As alerts have it.
        until: When it ends by itself; None when nothing is known of that.
        cause: In the words of whoever knew; not translated.
        acts: What can be done about it: names of the page's own actions, or ``replace`` for its form.
    """

    kind: str
    title: str
    sentence: str
    until: datetime | None = None
    cause: str = ""
    acts: tuple[str, ...] = ()


def notices(account: Account, standing: Standing, kind: CredentialKind, paused_by: str) -> tuple[Notice, ...]:
    """What is to be said of an account, the gravest first; nothing of one that is well.

    Args:
        paused_by: Who switched it off, in words; empty when that is not known.
    """
    first = _of_state(account, standing, kind, paused_by)
    others = tuple(_of_rest(rest) for rest in standing.others)
    return ((first,) if first is not None else ()) + others


def _of_state(account: Account, standing: Standing, kind: CredentialKind, paused_by: str) -> Notice | None:
    rest = standing.rest
    cause = "" if rest is None else retold(rest.why)
    match standing.state:
        case AccountState.SIGN_IN_EXPIRED:
            return Notice(
                kind="err",
                title=gettext("Its API key is refused.") if kind.has_key else gettext("Its sign-in has ended."),
                sentence=gettext("It does nothing until you give it a new one."),
                cause=cause,
                acts=("replace",),
            )
        case AccountState.UNUSABLE:
            return _unusable(standing, cause)
        case AccountState.TOKEN_SOON:
            return Notice(
                kind="warn",
                title=gettext("Its access token ends soon, and could not be renewed."),
                sentence=gettext("The server goes on trying; have a look at why below, or try now."),
                until=standing.until,
                acts=("refresh",),
            )
        case AccountState.OUT_OF_CREDITS:
            return Notice(
                kind="warn",
                title=gettext("Nothing is left for it to spend."),
                sentence=gettext("It works again as soon as the service tells of new credits."),
                until=standing.until,
                cause=cause,
                acts=("refresh",),
            )
        case AccountState.COOLING_DOWN:
            return Notice(
                kind="warn",
                title=gettext("It is cooling down: %(reason)s.") % {"reason": _reason(rest)},
                sentence=gettext("It takes nothing new meanwhile; what it has begun goes on."),
                until=standing.until,
                cause=cause,
                acts=("end-cooldown",),
            )
        case AccountState.WARMING:
            return Notice(
                kind="info",
                title=gettext("It is not ready yet."),
                sentence=gettext("Its sign-in, plan, credits and workspace are asked for before its first generation."),
                acts=("refresh",),
            )
        case AccountState.PAUSED:
            return _paused(account, paused_by)
        case _:
            return None


def _unusable(standing: Standing, cause: str) -> Notice:
    if standing.rest is None:
        return Notice(
            kind="err",
            title=gettext("There is no way to the service for it."),
            sentence=gettext("No proxy that it may use works now; choose another one in its settings."),
        )
    if standing.rest.reason is RestReason.NO_ACCESS:
        sentence = gettext("Its plan does not let it do what it is there for; it is tried again by and by.")
        return Notice(
            kind="err", title=gettext("It has no access."), sentence=sentence, until=standing.until, cause=cause
        )
    return Notice(
        kind="err",
        title=gettext("The service calls the account unusable."),
        sentence=gettext("It is looked at again once a day; enable it to have it tried at once."),
        cause=cause,
        acts=("enable", "test"),
    )


def _paused(account: Account, paused_by: str) -> Notice:
    if account.rest_of(RestReason.MANUAL) is None:
        return Notice(
            kind="info",
            title=gettext("It has no slots for anything."),
            sentence=gettext("Give it image or video slots in its settings."),
        )
    return Notice(
        kind="info",
        title=gettext("Paused %(by)s.") % {"by": paused_by} if paused_by else gettext("Paused."),
        sentence=gettext("It does nothing until you enable it; what it had begun went on."),
        acts=("enable",),
    )


def _of_rest(rest: Rest) -> Notice:
    scope = scope_words(rest.model, rest.call)
    told = gettext("Kept from some work: %(reason)s, %(scope)s.") if scope else gettext("Also: %(reason)s.")
    return Notice(
        kind="info",
        title=told % {"reason": reason_words(rest.reason), "scope": scope},
        sentence="",
        until=rest.until,
        cause=retold(rest.why),
    )


def _reason(rest: Rest | None) -> str:
    return gettext("no reason told") if rest is None else reason_words(rest.reason)
