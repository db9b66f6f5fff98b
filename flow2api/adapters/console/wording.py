"""Filters of the templates: numbers, durations and moments as the page's language writes them."""

import math
import re
from datetime import UTC, date, datetime

from markupsafe import Markup, escape

from flow2api.adapters.console.language import current, exact_time, gettext, ngettext, retold

_KIB = 1024.0
_NOW_S = 5
_FIRST_WITH_SEPARATOR = 1000
_COMMAND = re.compile(r"`([^`]+)`")
_LONG_NAME = re.compile(r"(?=\w{15})([A-Za-z0-9]+(?:_+[A-Za-z0-9]+){2,})")
_BREAK = Markup("_<wbr>")
_DASH = "\N{EN DASH}"


def number(value: float | None, digits: int = 0) -> str:
    """A number with its separators; a dash for None."""
    if value is None:
        return _DASH
    if not digits and float(value).is_integer() and abs(value) < _FIRST_WITH_SEPARATOR:
        return str(int(value))  # nearly all numbers of a page, a hundred times as fast
    from babel.numbers import format_decimal

    pattern = "#,##0" if not digits else "#,##0." + "0" * digits
    return format_decimal(value, format=pattern, locale=current().locale)


def percent(share: float | None, digits: int = 1) -> str:
    """A share of 1 as percent; a dash for None."""
    if share is None:
        return _DASH
    shown = math.floor(share * 100 * 10**digits) / 10**digits  # what is not whole is never shown as 100 %
    return f"{number(shown, 0 if shown == round(shown) else digits)} %"


def duration(seconds: float | None) -> str:
    """A span of time in the two units that matter; a dash for None."""
    if seconds is None:
        return _DASH
    if seconds < 1:
        return gettext("%(count)s ms") % {"count": number(seconds * 1000)}
    if seconds < 60:
        return gettext("%(count)s s") % {"count": number(seconds, 1 if seconds < 20 else 0)}
    whole = round(seconds)
    if whole < 3600:
        return gettext("%(minutes)s min %(seconds)s s") % {"minutes": whole // 60, "seconds": whole % 60}
    if whole < 86400:
        return gettext("%(hours)s h %(minutes)s min") % {"hours": whole // 3600, "minutes": whole % 3600 // 60}
    return ngettext("%(count)s day", "%(count)s days", whole // 86400) % {"count": whole // 86400}


def size(count: int | None) -> str:
    """A number of bytes; a dash for None."""
    if count is None:
        return _DASH
    value, units = float(count), ["B", "KiB", "MiB", "GiB", "TiB"]
    while value >= _KIB and len(units) > 1:
        value, units = value / _KIB, units[1:]
    return f"{number(value, 0 if units[0] == 'B' or value >= 100 else 1)} {units[0]}"


def ago(at: datetime | None, now: datetime | None = None) -> Markup | str:
    """How long ago a moment was, or how far off it is, as ``<time>`` with the exact moment; "never" for None."""
    if at is None:
        return Markup('<span class="sub">%s</span>') % gettext("never")
    passed = ((now or datetime.now(UTC)) - at).total_seconds()
    return _time(at, relative(passed), "ago")


def moment(at: datetime | None) -> Markup | str:
    """A moment, exact; a dash for None."""
    return _DASH if at is None else _time(at, exact_time(at))


def clock(at: datetime | None) -> Markup | str:
    """The time of day of a moment, with the date in its title; a dash for None."""
    return _DASH if at is None else _time(at, at.astimezone(UTC).strftime("%H:%M:%S"))


def day(at: date) -> str:
    """A day without its year, as charts name it; of a moment the day in UTC."""
    from babel.dates import format_skeleton

    shown = at.astimezone(UTC) if isinstance(at, datetime) else datetime(at.year, at.month, at.day, tzinfo=UTC)
    return str(format_skeleton("MMMd", shown, locale=current().locale))


def relative(passed_s: float) -> str:
    """How long ago something was; less than nothing for what is to come."""
    whole, is_past = abs(round(passed_s)), passed_s >= 0
    if whole < _NOW_S:
        return gettext("just now") if is_past else gettext("now")
    if whole < 60:
        text = gettext("%(n)s s ago") if is_past else gettext("in %(n)s s")
        return text % {"n": whole}
    if whole < 3600:
        text = gettext("%(n)s min ago") if is_past else gettext("in %(n)s min")
        return text % {"n": whole // 60}
    if whole < 86400:
        text = gettext("%(n)s h ago") if is_past else gettext("in %(n)s h")
        return text % {"n": whole // 3600}
    days = whole // 86400
    text = (
        ngettext("%(n)s day ago", "%(n)s days ago", days)
        if is_past
        else ngettext("in %(n)s day", "in %(n)s days", days)
    )
    return text % {"n": days}


def check_name(name: str) -> str:
    """What a check of the doctor is called; one that a plugin brings is called as it says."""
    message = f"check: {name}"
    told = gettext(message)
    return retold(name) if told == message else told


def clock_words() -> str:
    """What `relative` says, for the clocks that a page keeps going by itself.

    Returns:
        Six texts of what was and six of what is to come, from now to some days, with ``{}`` for the number and a bar
        between them.
    """
    spans = (1, 10, 60, 3600, 86400, 2 * 86400)
    return "|".join(re.sub(r"\d+", "{}", relative(sign * span)) for sign in (1, -1) for span in spans)


def prose(text: str | None) -> Markup:
    """A sentence of the program or of a service: commands in backticks as code, long names broken at their underscores.

    What is markup already stays as it is.
    """
    if isinstance(text, Markup):
        return text
    parts = _COMMAND.split(text or "")
    return Markup("").join(
        Markup("<code>%s</code>") % _breakable(part) if at % 2 else _breakable(part) for at, part in enumerate(parts)
    )


def _breakable(text: str) -> Markup:
    parts = _LONG_NAME.split(text)
    return Markup("").join(_BREAK.join(part.split("_")) if at % 2 else part for at, part in enumerate(parts))


def _time(at: datetime, text: str, kind: str = "") -> Markup:
    attribute = Markup(' data-ago=""') if kind else Markup("")
    return Markup('<time datetime="{}" title="{}"{}>{}</time>').format(
        at.astimezone(UTC).isoformat(timespec="seconds"), exact_time(at), attribute, escape(text)
    )


FILTERS = {
    "number": number,
    "percent": percent,
    "duration": duration,
    "size": size,
    "ago": ago,
    "moment": moment,
    "clock": clock,
    "prose": prose,
}
