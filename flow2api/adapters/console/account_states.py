"""How pages call the states of accounts: an icon and a word, never colour alone."""

from dataclasses import dataclass
from datetime import datetime

from flow2api.adapters.console.language import gettext
from flow2api.domain.account import Account, RestReason, Tier
from flow2api.domain.account_state import AccountState, Standing


@dataclass(frozen=True, slots=True)
class StatePill:
    """A state as a pill shows it.

    Attributes:
        kind: ``ok``, ``warn``, ``err``, ``run``, or empty for what is switched off.
        until: When it ends by itself; None when nothing is known of that.
    """

    name: str
    kind: str
    icon: str
    words: str
    until: datetime | None = None


_LOOKS = {
    AccountState.READY: ("ok", "check"),
    AccountState.BUSY: ("run", "gauge"),
    AccountState.WARMING: ("run", "loader"),
    AccountState.TESTING: ("run", "flask-conical"),
    AccountState.COOLING_DOWN: ("warn", "clock"),
    AccountState.TOKEN_SOON: ("warn", "hourglass"),
    AccountState.OUT_OF_CREDITS: ("warn", "coins"),
    AccountState.SIGN_IN_EXPIRED: ("err", "x"),
    AccountState.UNUSABLE: ("err", "ban"),
    AccountState.PAUSED: ("", "pause"),
}

IN_ORDER = tuple(_LOOKS)
"""The states as pages list them: what works first, what was switched off last."""


def state_pill(state: AccountState, until: datetime | None = None) -> StatePill:
    """The pill of a state."""
    kind, icon = _LOOKS[state]
    return StatePill(state.value, kind, icon, state_words(state), until)


def standing_pill(standing: Standing) -> StatePill:
    """The pill of how an account stands."""
    return state_pill(standing.state, standing.until)


def state_words(state: AccountState) -> str:
    """A state in the page's language."""
    return {
        AccountState.READY: gettext("Ready"),
        AccountState.BUSY: gettext("Busy"),
        AccountState.WARMING: gettext("Warming"),
        AccountState.TESTING: gettext("Testing"),
        AccountState.COOLING_DOWN: gettext("Cooling down"),
        AccountState.TOKEN_SOON: gettext("Token soon"),
        AccountState.OUT_OF_CREDITS: gettext("Out of credits"),
        AccountState.SIGN_IN_EXPIRED: gettext("Sign-in expired"),
        AccountState.UNUSABLE: gettext("Can't be used"),
        AccountState.PAUSED: gettext("Paused"),
    }[state]


def reason_words(reason: RestReason) -> str:
    """Why an account rests, in the page's language."""
    return {
        RestReason.MANUAL: gettext("paused"),
        RestReason.AUTH_EXPIRED: gettext("the sign-in has ended"),
        RestReason.UNUSABLE: gettext("the service calls it unusable"),
        RestReason.REFUSED: gettext("the service refused it"),
        RestReason.RATE_LIMITED: gettext("rate limited by the service"),
        RestReason.QUOTA: gettext("nothing left of its allowance"),
        RestReason.NO_ACCESS: gettext("no access by its plan"),
        RestReason.ERROR_STREAK: gettext("failed several times in a row"),
    }[reason]


def tier_words(tier: Tier | None) -> str:
    """A plan in the page's language."""
    if tier is None:
        return gettext("plan not known yet")
    return {Tier.FREE: gettext("Free"), Tier.PRO: gettext("Pro"), Tier.ULTRA: gettext("Ultra")}[tier]


def name_of(account: Account) -> str:
    """What an account is called."""
    return account.name or account.email or gettext("account %(id)s") % {"id": account.id}
