"""The program as commands put it together, whatever was saved in the console for its plugins."""

import structlog

from flow2api.app import Services, build_services
from flow2api.cli.context import Installation
from flow2api.domain.errors import Flow2ApiError
from flow2api.settings import SAVED

log = structlog.get_logger(__name__)


def built(here: Installation) -> Services:
    """The program; without what was saved for plugins' settings where it cannot be put together with it.

    What was typed into a form is not to keep the server from its start: nobody could take it back there.

    Raises:
        Flow2ApiError: It cannot be put together without it, either.
    """
    try:
        return build_services(here.settings, here.extensions)
    except Flow2ApiError as error:
        saved = sorted(name for name, origin in here.settings.origins.items() if origin == SAVED)
        if not saved or here.without_saved is None:
            raise
        plain = here.without_saved()
        services = build_services(plain.settings, plain.extensions)
        log.error(  # noqa: TRY400 - what the plugin said is enough
            "settings saved for plugins are passed over: the server cannot start with them",
            settings=saved,
            reason=str(error),
            remedy="change them in the console, or `flow2api options reset plugin_settings`",
        )
        return services
