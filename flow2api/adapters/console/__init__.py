"""The operator's pages."""

from flow2api.adapters.console.assets import assets_router
from flow2api.adapters.console.errors import plain_error
from flow2api.adapters.console.landing import landing_handlers
from flow2api.adapters.console.templates import template_config

__all__ = ["assets_router", "landing_handlers", "plain_error", "template_config"]
