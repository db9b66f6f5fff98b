"""The operator's pages."""

from flow2api.adapters.console.doors import ConsoleDoors, ServerDoors
from flow2api.adapters.console.errors import error_page
from flow2api.adapters.console.plain_errors import plain_error
from flow2api.adapters.console.router import create_console_routers, is_console_path

__all__ = ["ConsoleDoors", "ServerDoors", "create_console_routers", "error_page", "is_console_path", "plain_error"]
