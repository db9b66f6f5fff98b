"""Why accounts could not serve, in words."""

from flow2api.adapters.console.language import gettext, ngettext
from flow2api.domain.errors import PoolError


def reason_words(reason: str) -> str:
    """Why an account could not serve."""
    return {
        "busy": gettext("all slots in use"),
        "max_running": gettext("as many run as the options allow"),
        "no_tier": gettext("the plan does not include the model"),
        "no_tag": gettext("not in the key's group"),
        "switched_off": gettext("does not make this kind"),
        "warming": gettext("still being prepared"),
        "quota": gettext("out of credits"),
        "no_proxy": gettext("no proxy works"),
        "manual": gettext("paused"),
        "auth_expired": gettext("sign-in expired"),
        "unusable": gettext("cannot be used"),
        "refused": gettext("refused by the service"),
        "rate_limited": gettext("cooling down"),
        "no_access": gettext("has no access to the model"),
        "error_streak": gettext("resting after failures"),
        "tried": gettext("tried before"),
        "removed": gettext("removed"),
    }.get(reason, reason.replace("_", " "))


def pool_words(error: PoolError) -> str:
    """Why no account can serve, the most frequent reason first."""
    if not error.reasons:
        return gettext("There is no account yet that could serve this. Add one first.")
    told = [
        _counted(reason, count) for reason, count in sorted(error.reasons.items(), key=lambda one: (-one[1], one[0]))
    ]
    return gettext("No account can serve this now. %(reasons)s.") % {"reasons": gettext("; ").join(told)}


def _counted(reason: str, count: int) -> str:
    told = ngettext("%(num)s account: %(reason)s", "%(num)s accounts: %(reason)s", count)
    return told % {"num": count, "reason": reason_words(reason)}
