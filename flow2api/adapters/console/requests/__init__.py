"""The pages about the request log."""

from flow2api.adapters.console.requests.controller import LIVE_REQUESTS, RequestsController

__all__ = ["LIVE_REQUESTS", "RequestsController"]
