"""The OpenAI-compatible surface: what clients call with an API key."""

from flow2api.adapters.openai_api.doors import Doors, Limits
from flow2api.adapters.openai_api.envelope import envelope_response
from flow2api.adapters.openai_api.request_ids import request_id_of
from flow2api.adapters.openai_api.router import PREFIXES, create_router, is_api_path

__all__ = ["PREFIXES", "Doors", "Limits", "create_router", "envelope_response", "is_api_path", "request_id_of"]
