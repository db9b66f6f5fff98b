"""The panels of the console, over what plugins offer."""

from collections.abc import Sequence
from functools import partial

import structlog

from flow2api.app.foreign import made
from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.ports.panels import Panel
from flow2api.domain.usecases.show_panels import PlacedPanel
from flow2api.extensions import Extensions
from flow2api.settings import Settings

log = structlog.get_logger(__name__)


def build_panels(settings: Settings, extensions: Extensions) -> Sequence[PlacedPanel]:
    """Every panel; one of a plugin of others that cannot be made is left out, and told in the log."""
    built = []
    for name, one in extensions.panels.items():
        plugin, section = extensions.foreign_owner(one), settings.sections.get(name, {})
        try:
            panel = made(plugin, Panel, partial(one.build, section))
        except Flow2ApiError:
            if plugin is None:
                raise
            log.exception("console panel left out", panel=name, plugin=plugin)
        else:
            built.append(PlacedPanel(name, one.title, one.place, panel))
    return built
