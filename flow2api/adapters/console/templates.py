"""How templates are rendered: every value is escaped, a missing one is an error, words come from the page's language."""

import asyncio
from functools import cache
from typing import Any

import jinja2
from jinja2 import meta
from markupsafe import Markup

from flow2api.adapters.console import sent_from
from flow2api.adapters.console.assets import asset_path, assets
from flow2api.adapters.console.folders import template_folder
from flow2api.adapters.console.guards import FORM_FIELD
from flow2api.adapters.console.language import LANGUAGES, gettext, ngettext, retold
from flow2api.adapters.console.shell import Shell
from flow2api.adapters.console.wording import FILTERS, clock_words


@cache
def environment() -> jinja2.Environment:
    """The environment of every template."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(template_folder()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        auto_reload=False,
    )
    made.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.filters.update(FILTERS)
    made.filters["retold"] = retold
    made.globals.update(asset=asset_path, icon=icon, csrf=csrf, languages=LANGUAGES, clock_words=clock_words)
    return made


async def prepare(template: str) -> None:
    """Have a template compiled with all that it is made of, and the assets packed, so that rendering it is quick.

    Each is done once, in a thread: a page takes up to a tenth of a second, in which nobody else would have a turn.
    """
    if template not in _prepared():
        await asyncio.to_thread(_compile, template)


@cache
def _prepared() -> set[str]:
    return set()


def _compile(template: str) -> None:
    assets()
    made, waiting, seen = environment(), [template], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen and name not in _prepared():
            seen.add(name)
            made.get_template(name)
            source = template_folder().joinpath(name).read_text(encoding="utf-8")
            waiting += [one for one in meta.find_referenced_templates(made.parse(source)) if one is not None]
    _prepared().update(seen)


def render(template: str, context: dict[str, Any]) -> str:
    """A template as HTML.

    Raises:
        jinja2.UndefinedError: The context lacks something that the template shows.
    """
    return environment().get_template(template).render(context)


def icon(name: str) -> Markup:
    """A symbol of the sprite; words beside it say what it means."""
    return Markup('<svg class="i" aria-hidden="true"><use href="{}#{}"/></svg>').format(asset_path("icons.svg"), name)


def csrf(shell: Shell) -> Markup:
    """The fields that every form carries which changes something: its token, and the page that it stands on."""
    field = Markup('<input type="hidden" name="{}" value="{}">')
    return field.format(FORM_FIELD, shell.token) + field.format(sent_from.FIELD, sent_from.shortened(shell.here))
