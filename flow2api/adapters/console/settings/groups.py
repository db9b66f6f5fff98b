"""The options in groups, as the navigation of the settings shows them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.settings import words
from flow2api.adapters.console.settings.words import OptionWords


@dataclass(frozen=True, slots=True)
class Group:
    """Options that are changed together.

    Attributes:
        name: As it stands in the address.
        options: With their words in the page's language.
    """

    name: str
    title: str
    about: str
    options: Sequence[OptionWords]


def groups() -> list[Group]:
    """Every group, in the page's language; each option is in one of them."""
    return [Group(name, title, about, options()) for name, title, about, options in _table()]


def group_of(option: str) -> str:
    """The name of the group of an option; that of the first group when it is in none."""
    named = (group.name for group in groups() if any(one.name == option for one in group.options))
    return next(named, groups()[0].name)


def _table() -> list[tuple[str, str, str, Callable[[], list[OptionWords]]]]:
    return [
        ("balancing", gettext("Balancing"), gettext("which account gets the next generation"), words.balancing),
        ("retries", gettext("Retries and rests"), gettext("what happens when something fails"), words.retries),
        ("limits", gettext("Limits"), gettext("how much at once, and how long"), words.limits),
        ("sign-in", gettext("Accounts' sign-in"), gettext("how accounts are kept usable"), words.renewal),
        ("proxies", gettext("Proxies"), gettext("the way to the upstream"), words.proxies),
        ("media", gettext("Media and answers"), gettext("pictures, videos and the links to them"), words.media),
        ("retention", gettext("Retention"), gettext("how long what is kept"), words.retention),
        ("records", gettext("Logs and statistics"), gettext("what is written down"), words.records),
        ("notifications", gettext("Notifications"), gettext("who is told when something needs care"), words.telling),
        ("server", gettext("Server"), gettext("plugins, and what everybody may see"), words.server),
    ]
