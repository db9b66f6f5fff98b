"""What a key may do, as fields of a form."""

from datetime import UTC, datetime

from flow2api.adapters.console.forms import Form
from flow2api.adapters.console.language import gettext
from flow2api.domain.key_rules import MOST, KeyRules, KeyScope

MARK = "has_rules"
"""Is sent along where the form shows these fields: a box that is not ticked is not sent, nor is one that is not there."""

_LONGEST_LIST = 10_000
_MINUTES = "%Y-%m-%dT%H:%M"
_SCOPES = {f"scope_{scope.value}": scope for scope in KeyScope}

RULE_FIELDS = (*_SCOPES, "models", "expires", "requests_per_min", "max_concurrent", "max_per_day")

FIELD_OF = {"scopes": "scope_images", "models": "models", "expires_at": "expires"} | {
    name: name for name in ("requests_per_min", "max_concurrent", "max_per_day")
}
"""The field beside which a fault of the domain is told."""

BESIDE = dict.fromkeys(_SCOPES, next(iter(_SCOPES)))
"""The field beside which something is told of one that has no place of its own for it."""


def typed(rules: KeyRules) -> dict[str, str]:
    """What stands in each field."""
    per_min = rules.requests_per_min
    return {name: "on" if scope in rules.scopes else "" for name, scope in _SCOPES.items()} | {
        "models": "\n".join(rules.models),
        "expires": "" if rules.expires_at is None else rules.expires_at.astimezone(UTC).strftime(_MINUTES),
        "requests_per_min": "" if per_min is None else str(per_min),
        "max_concurrent": str(rules.max_concurrent or ""),
        "max_per_day": str(rules.max_per_day or ""),
    }


def read_rules(form: Form, before: KeyRules) -> KeyRules:
    """The rules of a form that was sent; those from before where it does not show them."""
    if not form.value(MARK):
        return before
    scopes = frozenset(scope for name, scope in _SCOPES.items() if form.is_on(name))
    if not scopes:
        form.refuse("scope_images", gettext("Tick one at least."))
    return KeyRules(
        scopes=scopes,
        models=tuple(
            dict.fromkeys(
                name for line in form.text("models", most=_LONGEST_LIST).splitlines() if (name := line.strip())
            )
        ),
        expires_at=_expires(form, before),
        requests_per_min=form.whole("requests_per_min", most=MOST),
        max_concurrent=form.whole("max_concurrent", most=MOST) or 0,
        max_per_day=form.whole("max_per_day", most=MOST) or 0,
    )


def _expires(form: Form, before: KeyRules) -> datetime | None:
    text = form.text("expires")
    if text == typed(before)["expires"]:
        return before.expires_at  # it may be finer than the field shows
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        form.refuse("expires", gettext("This has to be a date and a time, such as 2027-01-31T18:00."))
        return before.expires_at
