"""How much longer something takes, in words that claim no more than is known."""

from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.wording import number
from flow2api.domain.remaining_time import Remaining

_FEW_S = 10
_STEPS_S = ((60, 5), (120, 10), (600, 30))
_LONGER_STEP_S = 60


def remaining_words(left: Remaining | None) -> str:
    """What is left; empty where nothing can be told."""
    if left is None:
        return ""
    if left.is_overdue:
        return gettext("takes longer than usual")
    if left.is_close:
        middle = round_span(left.middle_s)
        return (
            gettext("a few seconds left")
            if middle < _FEW_S
            else gettext("about %(time)s left") % {"time": _told(middle)}
        )
    least, most = round_span(left.least_s), round_span(left.most_s)
    if least < _FEW_S:
        return gettext("up to %(time)s left") % {"time": _told(most)}
    return gettext("%(least)s to %(most)s left") % {"least": _told(least), "most": _told(most)}


def round_span(seconds: float) -> int:
    """The seconds in steps that grow with them, so that what is only expected is not told to the second."""
    step = next((step for end, step in _STEPS_S if seconds < end), _LONGER_STEP_S)
    return round(seconds / step) * step


def _told(seconds: int) -> str:
    if seconds < 60:
        return gettext("%(count)s s") % {"count": number(seconds)}
    if seconds % 60:
        return gettext("%(minutes)s min %(seconds)s s") % {"minutes": seconds // 60, "seconds": seconds % 60}
    return gettext("%(count)s min") % {"count": number(seconds // 60)}
