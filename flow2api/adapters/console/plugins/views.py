"""What the page shows."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from flow2api.adapters.console.doors import ConsoleDoors, PluginFacts, PluginSetting
from flow2api.adapters.console.language import gettext, ngettext, retold
from flow2api.adapters.console.plugins.section_views import pending_settings, section_path, sections_of
from flow2api.adapters.console.wording import number
from flow2api.domain.options import OptionSource
from flow2api.domain.redaction import redact_text

PATH = "/console/plugins"
_KINDS_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginRow:
    """A plugin, and what becomes of it.

    Attributes:
        brings: The names under which operators choose what it brings.
        next_start: What is different after the next start, in words; empty when nothing is.
        fixed_by: Why it can be neither enabled nor disabled here; empty when it can.
        act: ``enable``, ``disable``, or empty.
        forms: The sections whose settings have a page, with its address.
        clashes: Other plugins that could not be loaded because of it, or it because of them.
    """

    name: str
    is_built_in: bool
    version: str
    kinds: str
    source: str
    sha256: str
    kind: str
    icon: str
    words: str
    error: str
    hooks: Sequence[str]
    brings: Sequence[str]
    settings: Sequence[PluginSetting]
    forms: Sequence[tuple[str, str]]
    next_start: str
    fixed_by: str
    act: str
    clashes: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginsPage:
    """The page.

    Attributes:
        found: Those that are not part of the program.
        built_in: Those that are.
        is_fixed: The option that names the wanted ones is fixed by the settings.
        pending: How many are different after the next start.
    """

    loaded: int
    failed: int
    found: Sequence[PluginRow]
    built_in: Sequence[PluginRow]
    is_fixed: bool
    pending: int


_STATES = {"loaded": ("ok", "check"), "failed": ("err", "x"), "not enabled": ("", "pause")}


async def look(doors: ConsoleDoors) -> PluginsPage:
    """The plugins as they were found at the start, and what the option says now."""
    wanted, is_fixed = await wanted_plugins(doors)
    clashes = _clashes(doors.plugins)
    rows = [(_row(doors, one, wanted, clashes.get(one.name, ()), is_fixed=is_fixed), one) for one in doors.plugins]
    found = [row for row, one in rows if not one.is_built_in]
    return PluginsPage(
        loaded=sum(one.state == "loaded" for one in doors.plugins),
        failed=sum(one.error is not None for one in doors.plugins),
        found=found,
        built_in=[row for row, one in rows if one.is_built_in],
        is_fixed=is_fixed,
        pending=sum(bool(row.next_start) for row in found),
    )


async def can_be_enabled(doors: ConsoleDoors, one: PluginFacts) -> bool:
    """Whether a plugin that is not loaded would be, were it named by the option."""
    wanted, is_fixed = await wanted_plugins(doors)
    return one.state != "loaded" and one.name not in wanted and not _fixed_by(one, is_fixed=is_fixed)


async def wanted_plugins(doors: ConsoleDoors) -> tuple[Sequence[str], bool]:
    """The plugins that the option names, in their order, and whether the settings fix it."""
    standing = next((one for one in await doors.options.standing() if one.name == "plugins"), None)
    is_fixed = standing is None or standing.source is OptionSource.SETTINGS
    return tuple(doors.options().plugins), is_fixed


def kind_words(hooks: Sequence[str]) -> str:
    """What a plugin is, by what it registers."""
    words = {
        "register_models": gettext("models"),
        "register_selection_policies": gettext("selection policy"),
        "register_storages": gettext("storage"),
        "register_media_stores": gettext("media store"),
        "register_coordinations": gettext("coordination"),
        "register_upstreams": gettext("service"),
        "register_proxy_selectors": gettext("proxy selector"),
        "register_observers": gettext("observer"),
        "register_response_profiles": gettext("response profile"),
        "register_doctor_checks": gettext("doctor's check"),
        "register_console_panels": gettext("console panel"),
        "register_cli_commands": gettext("command"),
    }
    known = [words[hook] for hook in hooks if hook in words]
    return ", ".join(known[:_KINDS_SHOWN]) + ("…" if len(known) > _KINDS_SHOWN else "")


def _row(
    doors: ConsoleDoors, one: PluginFacts, wanted: Collection[str], clashes: Sequence[str], *, is_fixed: bool
) -> PluginRow:
    kind, icon = _STATES.get(one.state, ("", "circle-help"))
    words = {
        "loaded": gettext("Loaded"),
        "failed": gettext("Left out"),
        "not enabled": gettext("Not enabled"),
    }
    fixed_by = _fixed_by(one, is_fixed=is_fixed)
    is_wanted = one.name in wanted
    return PluginRow(
        name=one.name,
        is_built_in=one.is_built_in,
        version=one.version,
        kinds=kind_words(one.hooks),
        source=gettext("built-in") if one.is_built_in else one.source,
        sha256=one.sha256,
        kind=kind,
        icon=icon,
        words=words.get(one.state, one.state),
        error="" if one.error is None else redact_text(retold(one.error)),
        hooks=one.hooks,
        brings=one.brings,
        settings=one.settings,
        forms=[(section.name, section_path(one, section)) for section in sections_of(doors, one)],
        next_start=("" if fixed_by else _next_start(one, is_wanted=is_wanted)) or _other_settings(doors, one),
        fixed_by=fixed_by,
        act="" if fixed_by else "disable" if is_wanted else "enable",
        clashes=clashes,
    )


def _fixed_by(one: PluginFacts, *, is_fixed: bool) -> str:
    if one.is_built_in:
        return gettext("part of the program")
    if one.source == "embedding program":
        return gettext("given by the program that embeds this one")
    if one.is_enabled_by_settings:
        return gettext("enabled by the setting plugins (FLOW2API_PLUGINS)")
    return gettext("the setting options.plugins (FLOW2API_OPTIONS__PLUGINS) fixes what is enabled") if is_fixed else ""


def _next_start(one: PluginFacts, *, is_wanted: bool) -> str:
    if is_wanted and one.state == "not enabled":
        return gettext("It is loaded at the next start.")
    return gettext("It is left out from the next start on.") if not is_wanted and one.state != "not enabled" else ""


def _other_settings(doors: ConsoleDoors, one: PluginFacts) -> str:
    count = pending_settings(doors, sections_of(doors, one))
    told = ngettext(
        "%(count)s setting is another one from the next start on.",
        "%(count)s settings are other ones from the next start on.",
        count,
    )
    return told % {"count": number(count)} if count else ""


def _clashes(every: Sequence[PluginFacts]) -> Mapping[str, Sequence[str]]:
    """Which plugins want the same name, by what the fault of one says of the other."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for one in every:
        for other in every:
            if one is not other and one.error and f"'{other.name}'" in one.error:
                found[one.name].append(other.name)
                found[other.name].append(one.name)
    return found
