"""What an account went through, as its page tells it: what happened, why, and by whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flow2api.adapters.console.account_states import reason_words
from flow2api.adapters.console.language import gettext, retold
from flow2api.domain.account import CallKind
from flow2api.domain.health import OPERATOR, SERVER, TIME, HealthEvent, HealthKind

_LOOKS: Mapping[HealthKind, tuple[str, str]] = {
    HealthKind.ADDED: ("run", "plus"),
    HealthKind.IMPORTED: ("run", "upload"),
    HealthKind.WARMED: ("ok", "check"),
    HealthKind.REST_BEGUN: ("warn", "clock"),
    HealthKind.REST_PROLONGED: ("warn", "clock"),
    HealthKind.REST_LIFTED: ("ok", "check"),
    HealthKind.PROBATION_BEGUN: ("run", "hourglass"),
    HealthKind.PROBATION_PASSED: ("ok", "check"),
    HealthKind.PROBATION_FAILED: ("err", "x"),
    HealthKind.ACCESS_RENEWED: ("ok", "refresh-cw"),
    HealthKind.RENEWAL_FAILED: ("err", "x"),
    HealthKind.SESSION_ROTATED: ("ok", "key-round"),
    HealthKind.SESSION_REPLACED: ("run", "key-round"),
    HealthKind.KEY_REPLACED: ("run", "key-round"),
    HealthKind.TIER_CHANGED: ("run", "info"),
    HealthKind.CREDITS_CHANGED: ("run", "coins"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """One thing that happened.

    Attributes:
        scope: What it was limited to; empty for the whole account.
        cause: As it was told by whoever knew; in the page's language where it is always told in the same words.
        by: Who brought it about, in words; empty for the server itself.
        until: When what began ends by itself.
    """

    at: datetime
    kind: str
    icon: str
    title: str
    scope: str
    cause: str
    by: str
    until: datetime | None


def event_line(event: HealthEvent, *, has_key: bool = False) -> EventLine:
    """An event in the page's language.

    Args:
        has_key: Whether the account has an API key, which is proved where others get an access token.
    """
    kind, icon = _LOOKS[event.kind]
    return EventLine(
        at=event.at,
        kind=kind,
        icon=icon,
        title=_title(event, has_key=has_key),
        scope=scope_words(event.model, event.call),
        cause=retold(event.cause) if event.cause else "",
        by=by_words(event.by),
        until=event.until,
    )


def scope_words(model: str | None, call: CallKind | None) -> str:
    """What something is limited to; empty when it is for all that an account does."""
    if model is not None:
        return gettext("for %(model)s only") % {"model": model}
    if call is None:
        return ""
    return {
        CallKind.PICTURE: gettext("for pictures only"),
        CallKind.VIDEO: gettext("for videos only"),
        CallKind.ENLARGEMENT: gettext("for enlargements only"),
        CallKind.UPLOAD: gettext("for uploads only"),
        CallKind.DOWNLOAD: gettext("for downloads only"),
    }[call]


def by_words(by: str) -> str:
    """Who brought something about; empty for the server itself and for time."""
    if by in (SERVER, TIME, ""):
        return ""
    return gettext("by an operator") if by == OPERATOR else gettext("by %(name)s") % {"name": by}


def _title(event: HealthEvent, *, has_key: bool) -> str:
    reason = gettext("no reason told") if event.reason is None else reason_words(event.reason)
    titles = {
        HealthKind.ADDED: gettext("Added"),
        HealthKind.IMPORTED: gettext("Imported"),
        HealthKind.WARMED: gettext("Ready for its first generation"),
        HealthKind.REST_BEGUN: gettext("Rest begun: %(reason)s"),
        HealthKind.REST_PROLONGED: gettext("Rest prolonged: %(reason)s"),
        HealthKind.REST_LIFTED: gettext("Rest over: %(reason)s"),
        HealthKind.PROBATION_BEGUN: gettext("On probation: %(reason)s"),
        HealthKind.PROBATION_PASSED: gettext("Probation passed: %(reason)s"),
        HealthKind.PROBATION_FAILED: gettext("Probation failed: %(reason)s"),
        HealthKind.ACCESS_RENEWED: gettext("API key accepted") if has_key else gettext("Access token renewed"),
        HealthKind.RENEWAL_FAILED: (
            gettext("API key could not be proved") if has_key else gettext("Access token could not be renewed")
        ),
        HealthKind.SESSION_ROTATED: gettext("Session token rotated"),
        HealthKind.SESSION_REPLACED: gettext("Session token replaced"),
        HealthKind.KEY_REPLACED: gettext("API key replaced"),
        HealthKind.TIER_CHANGED: gettext("Plan changed"),
        HealthKind.CREDITS_CHANGED: gettext("Credits changed"),
    }
    title = titles[event.kind]
    return title % {"reason": reason} if "%(reason)s" in title else title
