"""The page that leads to the places which the bar of phones has no room for."""

from flow2api.adapters.console.more.controller import MoreController

__all__ = ["MoreController"]
