"""The JSON API for operators' tools."""

from flow2api.adapters.admin_api.addresses import client_address
from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.errors import outer_error_response
from flow2api.adapters.admin_api.router import create_admin_routers, is_admin_path, openapi_config

__all__ = [
    "AdminDoors",
    "client_address",
    "create_admin_routers",
    "is_admin_path",
    "openapi_config",
    "outer_error_response",
]
