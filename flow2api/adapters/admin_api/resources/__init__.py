"""The resources of the operators' API under ``/api/admin``: what the command line does with a running pool, over HTTP."""

from litestar.handlers import HTTPRouteHandler

from flow2api.adapters.admin_api.doors import AdminDoors
from flow2api.adapters.admin_api.resources.account_actions import account_action_routes
from flow2api.adapters.admin_api.resources.account_imports import account_import_routes
from flow2api.adapters.admin_api.resources.accounts import account_routes
from flow2api.adapters.admin_api.resources.audit_entries import audit_routes
from flow2api.adapters.admin_api.resources.deleted_accounts import deleted_account_routes
from flow2api.adapters.admin_api.resources.deliveries import delivery_routes
from flow2api.adapters.admin_api.resources.generations import generation_routes
from flow2api.adapters.admin_api.resources.keys import key_routes
from flow2api.adapters.admin_api.resources.notify_targets import notify_routes
from flow2api.adapters.admin_api.resources.operators import operator_routes
from flow2api.adapters.admin_api.resources.options import option_resource_routes
from flow2api.adapters.admin_api.resources.policies import policy_routes
from flow2api.adapters.admin_api.resources.proxies import proxy_resource_routes
from flow2api.adapters.admin_api.resources.proxy_pools import proxy_pool_routes
from flow2api.adapters.admin_api.resources.requests import request_routes
from flow2api.adapters.admin_api.resources.sessions import session_resource_routes
from flow2api.adapters.admin_api.resources.statistics import statistics_routes
from flow2api.adapters.admin_api.resources.webhooks import webhook_routes


def resource_routes(doors: AdminDoors) -> list[HTTPRouteHandler]:
    """The handlers of all resources; they belong behind the session."""
    return [
        *account_routes(doors),
        *account_action_routes(doors),
        *deleted_account_routes(doors),
        *account_import_routes(doors),
        *key_routes(doors),
        *operator_routes(doors),
        *session_resource_routes(doors),
        *option_resource_routes(doors),
        *proxy_resource_routes(doors),
        *proxy_pool_routes(doors),
        *policy_routes(doors),
        *webhook_routes(doors),
        *delivery_routes(doors),
        *notify_routes(doors),
        *generation_routes(doors),
        *request_routes(doors),
        *statistics_routes(doors),
        *audit_routes(doors),
    ]


__all__ = ["resource_routes"]
