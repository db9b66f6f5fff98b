"""Serves an ASGI application over HTTP, in this process and its event loop."""

from flow2api.adapters.server.allowed_hosts import host_guard
from flow2api.adapters.server.http_server import HttpServer
from flow2api.adapters.server.slow_bodies import in_time
from flow2api.adapters.server.strict_transport import strict_transport

__all__ = ["HttpServer", "host_guard", "in_time", "strict_transport"]
