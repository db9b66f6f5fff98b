"""The page with what was found."""

from flow2api.adapters.console.search.controller import SearchController

__all__ = ["SearchController"]
