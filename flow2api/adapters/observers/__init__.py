"""Hands notices to the observers of plugins."""

from flow2api.adapters.observers.post import ObserverPost

__all__ = ["ObserverPost"]
