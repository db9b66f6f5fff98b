"""What the page of a plugin's section shows."""

import json
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flow2api.adapters.console.doors import ConsoleDoors, PluginFacts, PluginField, PluginSection
from flow2api.adapters.console.language import gettext, retold
from flow2api.adapters.console.plugins.section_form import FIELD, WAS, Sent, is_fixed, settable
from flow2api.domain.errors import ConfigurationError, NotKnownError
from flow2api.domain.options import OptionSource
from flow2api.domain.redaction import redact_text

OPTION = "plugin_settings"
SECTION_PATH = "/console/plugins/settings"
_LONGEST_UNIT = 24


@dataclass(frozen=True, slots=True)
class Lines:
    """The same settings for where they are set without the console."""

    environment: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldView:
    """A setting and its field.

    Attributes:
        field: The field's name; empty when there is none here.
        text: What stands in the field.
        was: What was saved when the form was opened.
        kind: Its type and its bounds, in words.
        unit: What a number counts, for people; empty for none.
        note: What a placeholder says, such as the default.
        value: What the program runs with.
        fixed_by: What sets it elsewhere.
        is_pending: It is another value from the next start on.
    """

    name: str
    field: str
    was_field: str
    variable: str
    help: str
    shape: str
    choices: Sequence[str]
    text: str
    was: str
    kind: str
    unit: str
    default: str
    value: str
    fixed_by: str
    is_set_here: bool
    is_needed: bool
    is_pending: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionPage:
    """The page.

    Attributes:
        path: Of the form.
        enables: Saving the settings enables the plugin, too.
        error: Why the plugin was left out; empty when it was not.
        is_fixed: The settings fix the option in which values are saved.
        trouble: Why what was saved is passed over; empty when it is not.
        start_fault: Why the server could not start with what was saved; empty when it could, and when nothing is saved here.
        lines: To copy; None until they are asked for.
    """

    plugin: str
    section: str
    about: str
    path: str
    enables: bool
    error: str
    is_savable: bool
    is_fixed: bool
    trouble: str
    start_fault: str
    fields: Sequence[FieldView]
    has_fields: bool
    pending: int
    lines: Lines | None


def found_section(doors: ConsoleDoors, name: str) -> tuple[PluginFacts, PluginSection]:
    """The section of this name, with its plugin.

    Raises:
        NotKnownError: No plugin that is loaded, or was looked at, has described it.
    """
    for plugin in doors.plugins:
        for section in sections_of(doors, plugin):
            if section.name == name:
                return plugin, section
    raise NotKnownError(f"No plugin that is loaded has described a section {name[:64]!r}.")


def sections_of(doors: ConsoleDoors, plugin: PluginFacts) -> Sequence[PluginSection]:
    """The sections that a plugin has described, also one that was looked at since the start."""
    return plugin.sections or doors.plugin_settings.sections_of(plugin.name)


def section_that_lacks(doors: ConsoleDoors, plugin: PluginFacts) -> PluginSection | None:
    """The first section that can be saved and needs a setting that has no value yet; None when there is none."""
    saved = doors.options().plugin_settings
    for section in sections_of(doors, plugin):
        lacks = (
            one.is_needed and not one.origin for one in settable(section) if f"{section.name}.{one.name}" not in saved
        )
        if section.is_savable and any(lacks):
            return section
    return None


def section_path(plugin: PluginFacts, section: PluginSection) -> str:
    """The address of a section's page; it names the plugin where that has to be looked at first."""
    query = {"section": section.name} if plugin.sections else {"section": section.name, "plugin": plugin.name}
    return f"{SECTION_PATH}?{urlencode(query)}"


async def section_page(
    doors: ConsoleDoors, name: str, sent: Sent, lines: Lines | None, *, enables: bool
) -> SectionPage:
    """The settings of a section, with what was typed.

    Args:
        enables: Saving them enables the plugin.

    Raises:
        NotKnownError: There is no such section.
    """
    plugin, section = found_section(doors, name)
    standing = next((one for one in await doors.options.standing() if one.name == OPTION), None)
    is_locked = section.is_savable and (standing is None or standing.source is OptionSource.SETTINGS)
    fields = [_field(doors, section, one, sent) for one in section.fields]
    return SectionPage(
        plugin=plugin.name,
        section=section.name,
        about=_plain(section.about),
        path=section_path(plugin, section),
        enables=enables,
        error="" if plugin.error is None else redact_text(retold(plugin.error)),
        is_savable=section.is_savable,
        is_fixed=is_locked,
        trouble=_trouble(doors, section),
        start_fault=redact_text(doors.plugin_settings.start_fault) if any(one.is_set_here for one in fields) else "",
        fields=fields,
        has_fields=any(one.field for one in fields),
        pending=sum(one.is_pending for one in fields),
        lines=lines,
    )


def lines_of(section: PluginSection, texts: Mapping[str, str]) -> Lines:
    """What to write where, to have these settings; nothing of secrets."""
    fields = {one.name: one for one in section.fields}
    environment = [f"{fields[name].variable}={shlex.quote(text)}" for name, text in texts.items()]
    file = [f"[{section.name}]", *(f"{name} = {_in_toml(fields[name], text)}" for name, text in texts.items())]
    return Lines("\n".join(environment), "\n".join(file))


def pending_settings(doors: ConsoleDoors, sections: Sequence[PluginSection]) -> int:
    """How many settings are different from the next start on."""
    return sum(
        _is_pending(doors, section, one) for section in sections if section.is_savable for one in settable(section)
    )


def _field(doors: ConsoleDoors, section: PluginSection, one: PluginField, sent: Sent) -> FieldView:
    has_field = one in settable(section)
    saved = doors.options().plugin_settings.get(f"{section.name}.{one.name}", "") if section.is_savable else ""
    shown = saved if section.is_savable else one.value if is_fixed(one) else ""
    return FieldView(
        name=one.name,
        field=f"{FIELD}{one.name}" if has_field else "",
        was_field=f"{WAS}{one.name}",
        variable=one.variable,
        help=_plain(one.help),
        shape=one.shape,
        choices=one.choices or (("true", "false") if one.shape == "switch" else ()),
        text=sent.form.value(f"{FIELD}{one.name}", shown),
        was=sent.form.value(f"{WAS}{one.name}", saved),
        kind=_kind(one),
        unit=retold(one.unit[:_LONGEST_UNIT]),
        default=one.default,
        value=one.value,
        fixed_by=one.origin if is_fixed(one) else "",
        is_set_here=bool(saved),
        is_needed=one.is_needed,
        is_pending=section.is_savable and has_field and _is_pending(doors, section, one),
    )


def _is_pending(doors: ConsoleDoors, section: PluginSection, one: PluginField) -> bool:
    name = f"{section.name}.{one.name}"
    saved = doors.options().plugin_settings.get(name, "")
    if not saved:
        return one.origin == "saved" and one.value != one.default
    try:
        return doors.plugin_settings.read(name, saved) != one.value
    except ConfigurationError:
        return False


def _trouble(doors: ConsoleDoors, section: PluginSection) -> str:
    """What is wrong with a saved setting; a newer version of the plugin may have others."""
    if not section.is_savable:
        return ""
    for name, text in doors.options().plugin_settings.items():
        if name.startswith(f"{section.name}."):
            try:
                doors.plugin_settings.read(name, text)
            except ConfigurationError as error:
                return retold(error.message)
    return ""


def _kind(one: PluginField) -> str:
    words = {
        "switch": gettext("yes or no"),
        "choice": gettext("one of these"),
        "whole": gettext("whole number"),
        "number": gettext("number"),
        "text": gettext("text"),
        "list": gettext("texts, with commas between"),
        "json": gettext("JSON"),
        "secret": gettext("secret"),
    }[one.shape]
    bounds = {"kind": words, "least": f"{one.least or 0:g}", "most": f"{one.most or 0:.15g}"}
    if one.is_above and one.most is not None and not one.is_below:
        return gettext("%(kind)s above %(least)s, up to %(most)s") % bounds
    if one.is_above:
        return gettext("%(kind)s above %(least)s") % bounds
    if one.is_below:
        return gettext("%(kind)s below %(most)s") % bounds
    if one.least is not None and one.most is not None:
        return gettext("%(kind)s from %(least)s to %(most)s") % bounds
    if one.least is not None:
        return gettext("%(kind)s from %(least)s") % bounds
    return gettext("%(kind)s up to %(most)s") % bounds if one.most is not None else words


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(f"x = {text}")
    except tomllib.TOMLDecodeError:
        return False
    return True


def _in_toml(one: PluginField, text: str) -> str:
    if one.shape in ("whole", "number", "switch") and _is_toml(text):
        return text
    if one.shape == "list" and not text.startswith("["):
        return json.dumps([part.strip() for part in text.split(",") if part.strip()], ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _plain(text: str) -> str:
    """Words of a docstring without the marks that say which of them are code."""
    return text.replace("``", "")
