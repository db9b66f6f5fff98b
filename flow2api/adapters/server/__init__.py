"""Serves an ASGI application over HTTP, in this process and its event loop."""

from flow2api.adapters.server.allowed_hosts import host_guard
from flow2api.adapters.server.http_server import HttpServer

__all__ = ["HttpServer", "host_guard"]
