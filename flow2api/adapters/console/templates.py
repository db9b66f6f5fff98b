"""How templates are rendered: every value is escaped, a missing one is an error, words come from the page's language."""

from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from flow2api.adapters.console.assets import asset_path
from flow2api.adapters.console.folders import template_folder
from flow2api.adapters.console.guards import FORM_FIELD
from flow2api.adapters.console.language import LANGUAGES, gettext, ngettext
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
    made.globals.update(asset=asset_path, icon=icon, csrf=csrf, languages=LANGUAGES, clock_words=clock_words)
    return made


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
    """The field that every form carries which changes something."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FORM_FIELD, shell.token)
