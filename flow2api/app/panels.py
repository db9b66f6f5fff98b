"""The panels of the console, over what plugins offer."""

from collections.abc import Sequence

import structlog

from flow2api.domain.usecases.show_panels import PlacedPanel
from flow2api.extensions import Extensions
from flow2api.settings import Settings

log = structlog.get_logger(__name__)


def build_panels(settings: Settings, extensions: Extensions) -> Sequence[PlacedPanel]:
    """Every panel; one of a plugin of others that cannot be made is left out, and told in the log."""
    built = []
    for name, one in extensions.panels.items():
        try:
            panel = one.build(settings.sections.get(name, {}))
        except Exception:
            plugin = extensions.foreign_owner(one)
            if plugin is None:
                raise
            log.exception("console panel left out", panel=name, plugin=plugin)
        else:
            built.append(PlacedPanel(name, one.title, one.place, panel))
    return built
