"""What the plugins have registered stands on shelves, each name once; who cannot stand beside others is told why."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flow2api.domain.catalog import Entry, ModelCatalog
from flow2api.extensions.isolation import in_one_line, told
from flow2api.extensions.plugin import PluginState, Registered
from flow2api.extensions.reserved import DOCTOR_FRAME, PROGRAM_COMMANDS, PROGRAM_SETTINGS

_BY_NAME = (
    "register_selection_policies",
    "register_upstreams",
    "register_observers",
    "register_proxy_selectors",
    "register_response_profiles",
    "register_console_panels",
)
SECTIONED = frozenset(
    {
        "register_settings",
        "register_storages",
        "register_media_stores",
        "register_coordinations",
        "register_upstreams",
        "register_observers",
        "register_console_panels",
    }
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where the items of one hook are kept, and what takes a name there."""

    hook: str
    keys: Callable[[Any], Iterable[str]]
    what: str = ""
    is_shared_within: bool = False
    items: dict[str, Any] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)

    def clash(self, one: Registered) -> str | None:
        """Why the plugin's items cannot stand beside what is there; both sides are named."""
        own: set[str] = set()
        for item in one.items.get(self.hook, ()):
            for key in self.keys(item):
                twice = one.plugin.name if key in own and not self.is_shared_within else None
                other = self.owners.get(key) or twice
                if other is not None:
                    return f"The plugins {other!r} and {one.plugin.name!r} both register {self.what}{key!r}; disable one of them."
                own.add(key)
        return None

    def put(self, one: Registered) -> None:
        """Take the plugin's items in."""
        for item in one.items.get(self.hook, ()):
            for key in self.keys(item):
                self.items.setdefault(key, item)
                self.owners.setdefault(key, one.plugin.name)


def fault_of(
    one: Registered, shelves: Iterable[Shelf], models: Sequence[tuple[str, Entry]], before: Sequence[Registered]
) -> str | None:
    """Why a plugin cannot stand beside those before it; None when it can, or is not loaded.

    Args:
        models: The entries of those before it, with the plugin of each.
    """
    if one.plugin.state is not PluginState.LOADED:
        return None
    try:
        clashes = (shelf.clash(one) for shelf in shelves)
        return (
            next((clash for clash in clashes if clash), None)
            or _shared_section(one, before)
            or _no_catalog(one, models)
        )
    except Exception as error:  # what it registers may be of types of its own
        if one.plugin.is_built_in:
            raise
        return f"What it registers cannot be used: {told(error)}"


def _shared_section(one: Registered, before: Sequence[Registered]) -> str | None:
    """A section that somebody has described is read in one way, so it is its own alone."""
    for other in before:
        for name in sorted((_described(one) & _sections_of(other)) | (_described(other) & _sections_of(one))):
            return f"The plugins {other.plugin.name!r} and {one.plugin.name!r} both use the section {name!r}; disable one of them."
    return None


def _described(one: Registered) -> set[str]:
    return {declared.name for declared in one.items.get("register_settings", ())}


def _sections_of(one: Registered) -> set[str]:
    return {item.name for hook in SECTIONED for item in one.items.get(hook, ())}


def _no_catalog(one: Registered, models: Sequence[tuple[str, Entry]]) -> str | None:
    entries = one.items.get("register_models", ())
    if not entries or one.plugin.is_built_in:
        return None
    try:
        ModelCatalog([*(entry for _, entry in models), *entries], lambda spec: True)
    except Exception as error:  # noqa: BLE001 - entries of a plugin may be anything
        return f"Its models make no catalog: {in_one_line(str(error))}"
    return None


def new_shelves() -> Iterable[Shelf]:
    """One for each hook, empty but for what the program keeps for itself."""
    for hook in _BY_NAME:
        yield Shelf(hook, lambda item: (item.name,))
    for hook in ("register_storages", "register_media_stores", "register_coordinations"):
        yield Shelf(hook, lambda item: item.schemes)
    yield Shelf(
        "register_settings",
        lambda item: (item.name,),
        "the section ",
        owners=dict.fromkeys(PROGRAM_SETTINGS, "flow2api"),
    )
    yield Shelf(
        "register_doctor_checks",
        lambda item: (item.name,),
        "the check ",
        owners=dict.fromkeys(DOCTOR_FRAME, "flow2api"),
    )
    yield Shelf("register_models", lambda item: (item.name,), "the model ", is_shared_within=True)
    yield Shelf(
        "register_cli_commands",
        lambda item: (item.name,),
        "the command ",
        owners=dict.fromkeys(PROGRAM_COMMANDS, "flow2api"),
    )
