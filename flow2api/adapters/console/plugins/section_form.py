"""What was typed into the form of a plugin's section: checked field by field, then as a whole."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from flow2api.adapters.console.doors import ConsoleDoors, PluginField, PluginSection
from flow2api.adapters.console.forms import Form
from flow2api.adapters.console.language import gettext, retold
from flow2api.domain.errors import ConfigurationError

FIELD, WAS = "set.", "was."
"""Before the name of a setting: the field with its text, and the one with what was saved when the form was opened."""


@dataclass(slots=True)
class Sent:
    """A section as it was typed.

    Attributes:
        texts: What is to be set, by setting; what was left empty is not in it.
        is_stale: Somebody else has saved something else meanwhile.
    """

    form: Form
    texts: dict[str, str] = field(default_factory=dict)
    is_stale: bool = False

    def saved(self, now: Mapping[str, str], section: PluginSection) -> dict[str, str]:
        """What is saved of all plugins as of now, with this section as it was typed."""
        here = {f"{section.name}.{one.name}" for one in settable(section)}
        others = {name: text for name, text in now.items() if name not in here}
        return {**others, **{f"{section.name}.{name}": text for name, text in self.texts.items()}}


def settable(section: PluginSection) -> list[PluginField]:
    """The settings that the form has a field for: neither secrets nor, where values are saved, what is set elsewhere."""
    return [one for one in section.fields if one.shape != "secret" and not (section.is_savable and is_fixed(one))]


def is_fixed(one: PluginField) -> bool:
    """Whether the file, the environment or the command line sets it."""
    return one.origin not in ("", "saved")


def known_fields(section: PluginSection) -> set[str]:
    """The fields that the form may have."""
    return {"step", *(f"{before}{one.name}" for one in settable(section) for before in (FIELD, WAS))}


async def read_section_form(doors: ConsoleDoors, section: PluginSection, form: Form) -> Sent:
    """What the form comes to; what is wrong is noted in it."""
    sent = Sent(form)
    for one in settable(section):
        text = _typed(form, one)
        _look_for_others(doors, section, one, sent)
        if text:
            _check(doors, section, one, text, sent)
        elif one.is_needed and section.is_savable:
            form.refuse(f"{FIELD}{one.name}", gettext("The plugin needs this."))
    if not form.errors:
        try:
            await asyncio.to_thread(doors.plugin_settings.check, section.name, sent.texts)
        except ConfigurationError as error:
            form.refuse("", retold(error.message))
    return sent


def _typed(form: Form, one: PluginField) -> str:
    """The text of a setting in one line, as the environment has it."""
    text = form.text(f"{FIELD}{one.name}")
    if one.shape == "list":
        lines = [line.strip().removesuffix(",") for line in text.splitlines()]
        return ", ".join(line for line in lines if line)
    return " ".join(text.split()) if one.shape == "json" else " ".join(text.splitlines())


def _look_for_others(doors: ConsoleDoors, section: PluginSection, one: PluginField, sent: Sent) -> None:
    if not section.is_savable:
        return
    was, now = (
        sent.form.value(f"{WAS}{one.name}"),
        doors.options().plugin_settings.get(f"{section.name}.{one.name}", ""),
    )
    if was != now:
        told = gettext("Somebody else has set this to %(value)s meanwhile. Save again to have yours.")
        sent.form.refuse(f"{FIELD}{one.name}", told % {"value": now or gettext("the default")})
        sent.form.values[f"{WAS}{one.name}"] = now
        sent.is_stale = True


def _check(doors: ConsoleDoors, section: PluginSection, one: PluginField, text: str, sent: Sent) -> None:
    try:
        doors.plugin_settings.read(f"{section.name}.{one.name}", text)
    except ConfigurationError as error:
        sent.form.refuse(f"{FIELD}{one.name}", _wrong(one) or retold(error.message))
    else:
        sent.texts[one.name] = text


def _wrong(one: PluginField) -> str:
    """What a number has to be, in words; empty for what is no number."""
    if one.shape not in ("whole", "number"):
        return ""
    bounds = {"least": f"{one.least or 0:g}", "most": f"{one.most or 0:.15g}"}
    if one.is_below:
        return ""
    if one.least is not None and one.most is not None and one.is_above:
        return gettext("This has to be more than %(least)s and at most %(most)s.") % bounds
    if one.least is not None and one.most is not None:
        return gettext("This has to be between %(least)s and %(most)s.") % bounds
    return gettext("This has to be a whole number.") if one.shape == "whole" else gettext("This has to be a number.")
