"""The page that says in two seconds whether the pool is well."""

from flow2api.adapters.console.overview.controller import LIVE_OVERVIEW, OverviewController

__all__ = ["LIVE_OVERVIEW", "OverviewController"]
