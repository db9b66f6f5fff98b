"""What was found, in groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.generations.filters import LIVE
from flow2api.adapters.console.generations.rows import title_of
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.links import address
from flow2api.adapters.console.search import named
from flow2api.adapters.console.search.named import Hit
from flow2api.domain.usecases.search import MOST


@dataclass(frozen=True, slots=True)
class Group:
    """What was found of one kind.

    Attributes:
        every: The address of the list with everything that matches; empty where there is no such list.
        looked_to: How far back was looked, where not all was looked at.
    """

    words: str
    icon: str
    hits: Sequence[Hit]
    every: str = ""
    looked_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """Everything that was found for a text."""

    text: str
    groups: Sequence[Group]

    @property
    def count(self) -> int:
        """How many things that are."""
        return sum(len(group.hits) for group in self.groups)

    @property
    def is_cut(self) -> bool:
        """Whether there may be more of a kind than is shown."""
        return any(len(group.hits) >= MOST for group in self.groups)


async def found_for(doors: ConsoleDoors, text: str) -> Found:
    """What is called so, or begins so."""
    result = await doors.search(text)
    accounts = [
        Hit(
            one.account.name or one.account.email or str(one.account.id),
            f"/console/accounts/{one.account.id}",
            one.account.email or "" if one.account.name else one.account.upstream,
        )
        for one in result.accounts
    ]
    keys = [Hit(key.name, f"/console/keys/{key.id}", f"{key.prefix}…") for key in result.keys]
    found_by_prompt = [
        Hit(title_of(one), f"/console/generations/{quote(one.id, safe='')}", one.model) for one in result.prompts
    ]
    jobs = [Hit(one, f"/console/generations/{quote(one, safe='')}") for one in result.generation_ids]
    groups = [
        Group(gettext("Accounts"), "users", accounts, address("/console/accounts", {"q": text})),
        Group(gettext("Generations"), "film", jobs, address("/console/requests", {"q": text, "span": "all"})),
        Group(gettext("Prompts"), "wand-sparkles", found_by_prompt, address(LIVE, {"q": text}), result.looked_to),
        Group(gettext("API keys"), "key-round", keys, address("/console/keys", {"q": text})),
        Group(
            gettext("Models"), "box", named.models(doors, text) if text else (), address("/console/models", {"q": text})
        ),
        Group(gettext("Settings"), "sliders-horizontal", named.options(doors, result.options, text)),
        Group(gettext("Plugins"), "plug", named.plugins(doors, text)),
    ]
    return Found(text, [group for group in groups if group.hits])
