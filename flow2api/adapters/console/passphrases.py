"""What the pages have in common that take a passphrase."""

from dataclasses import dataclass

from flow2api.adapters.console import cookies
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.forms import Form
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.visit import HttpRequest
from flow2api.domain.passphrase_strength import PassphraseStrength
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_operators import LONGEST_PASSPHRASE, SHORTEST_PASSPHRASE

LEVELS = 4


@dataclass(frozen=True, slots=True)
class StrengthView:
    """How good a passphrase is.

    Attributes:
        words: Empty when there is none yet.
        level: From 0 to `LEVELS`.
    """

    words: str = ""
    level: int = 0
    is_enough: bool = False


def is_private(doors: ConsoleDoors, request: HttpRequest) -> bool:
    """Whether a passphrase may be typed into the page of this request."""
    return doors.takes_plain_http or cookies.is_private(doors.came_by_of(request.scope))


def refuse_open_way(form: Form, doors: ConsoleDoors, request: HttpRequest) -> None:
    """Refuse a form with a passphrase that others could have read on the way."""
    if not is_private(doors, request):
        form.refuse("", gettext("This page was reached over plain http; use https, or open it on the server itself."))


def new_passphrase(form: Form, name: str = "passphrase", again: str = "again") -> Secret:
    """A passphrase that is typed twice; what is wrong with it is noted in the form."""
    first = form.secret(name, is_needed=True, most=LONGEST_PASSPHRASE)
    if first != form.secret(again) and first:
        form.refuse(again, gettext("This is not the same as above."))
    return Secret(first)


async def strength_of(doors: ConsoleDoors, passphrase: str, name: str) -> StrengthView:
    """How good this passphrase would be for an operator of this name."""
    if not passphrase:
        return StrengthView()
    strength = await doors.operators.strength(Secret(passphrase), name)
    return StrengthView(_words(strength), _LEVELS[strength], strength.is_enough)


_LEVELS = {
    PassphraseStrength.TOO_SHORT: 0,
    PassphraseStrength.TOO_LONG: 0,
    PassphraseStrength.WEAK: 1,
    PassphraseStrength.FAIR: 2,
    PassphraseStrength.GOOD: 3,
    PassphraseStrength.STRONG: 4,
}


def _words(strength: PassphraseStrength) -> str:
    return {
        PassphraseStrength.TOO_SHORT: gettext("Too short: %(count)s characters at least.")
        % {"count": SHORTEST_PASSPHRASE},
        PassphraseStrength.TOO_LONG: gettext("Too long: %(count)s characters at most.") % {"count": LONGEST_PASSPHRASE},
        PassphraseStrength.WEAK: gettext("Weak: this is among the first that would be tried."),
        PassphraseStrength.FAIR: gettext("Fair: it would take months to guess."),
        PassphraseStrength.GOOD: gettext("Good: it would take centuries to guess."),
        PassphraseStrength.STRONG: gettext("Strong: nobody guesses this."),
    }[strength]
