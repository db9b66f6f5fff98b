"""The operator's pages."""

from flow2api.adapters.console.errors import plain_error
from flow2api.adapters.console.landing import landing_handlers
from flow2api.adapters.console.templates import static_folder, template_config

__all__ = ["landing_handlers", "plain_error", "static_folder", "template_config"]
