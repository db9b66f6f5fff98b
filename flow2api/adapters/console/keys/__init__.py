"""The pages about keys of clients."""

from flow2api.adapters.console.keys.controller import KeysController

__all__ = ["KeysController"]
