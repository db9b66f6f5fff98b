"""What every page has around it: where one is, where one can go, what waits there, what was just done."""

import re
from dataclasses import dataclass

from flow2api.adapters.console.language import gettext

_UNDONE_AT_ONCE = re.compile(r"/console/accounts/(?:[0-9]+/enable|bulk/[0-9]+/undo(?:\?[\w.~%&=+-]*)?)")
"""What may be done by a button whose path came back from the browser: nothing that hurts, whoever has set it.

It enables an account, or makes accounts again what an operator had them be a moment ago.
"""


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the navigation.

    Attributes:
        count: What waits there; None shows no number.
        is_grave: Whether what waits there needs care.
    """

    name: str
    path: str
    icon: str
    words: str
    key: str = ""
    count: int | None = None
    is_grave: bool = False
    title: str = ""


@dataclass(frozen=True, slots=True)
class Shell:
    """The frame of a page.

    Attributes:
        area: The name of the place that the page belongs to.
        token: What forms carry.
        live: Where the page's news come from; empty for a page that has none.
        theme: ``light``, ``dark``, or empty for the system's.
        density: ``compact`` or ``comfortable``.
        has_keys: Whether single letters are shortcuts.
        told: What was just done: kind, sentence, and where it can be undone.
        here: The path and query of this page, for forms that lead back to it.
        is_draining: Whether the server is being stopped.
        is_held: Whether an operator has it take nothing new.
    """

    area: str
    language: str
    operator: str
    role: str
    version: str
    token: str
    places: tuple[tuple[Place, ...], ...]
    here: str
    live: str = ""
    theme: str = ""
    density: str = ""
    has_keys: bool = True
    told: tuple[str, str, str] | None = None
    is_draining: bool = False
    is_held: bool = False

    @property
    def is_undone_at_once(self) -> bool:
        """Whether what was just done is undone by a button, and not on a page of its own."""
        return self.told is not None and _UNDONE_AT_ONCE.fullmatch(self.told[2]) is not None


def places(*, accounts: int = 0, generations: int = 0, system: int = 0) -> tuple[tuple[Place, ...], ...]:
    """The navigation, in its three groups.

    Args:
        accounts: How many accounts need somebody.
        generations: How many are under way.
        system: How many checks have failed.
    """
    return (
        (
            Place("overview", "/console", "house", gettext("Overview"), "o"),
            Place("accounts", "/console/accounts", "users", gettext("Accounts"), "a", accounts or None, True),
            Place("generations", "/console/generations", "film", gettext("Generations"), "g", generations or None),
            Place("playground", "/console/playground", "wand-sparkles", gettext("Playground"), "p"),
        ),
        (
            Place("keys", "/console/keys", "key-round", gettext("API keys"), "k"),
            Place("models", "/console/models", "box", gettext("Models"), "m"),
            Place("requests", "/console/requests", "list", gettext("Request log"), "r"),
            Place("connect", "/console/connect", "cable", gettext("Connect"), "c"),
        ),
        (
            Place("settings", "/console/settings", "sliders-horizontal", gettext("Settings"), "s"),
            Place("plugins", "/console/plugins", "plug", gettext("Plugins"), "l"),
            Place("system", "/console/system", "activity", gettext("System"), "y", system or None, True),
            Place("audit", "/console/audit", "shield", gettext("Audit log"), "u"),
        ),
    )
