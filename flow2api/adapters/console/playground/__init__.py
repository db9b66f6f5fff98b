"""The page where operators try prompts by hand."""

from flow2api.adapters.console.playground.controller import LIVE_RUN, PlaygroundController

__all__ = ["LIVE_RUN", "PlaygroundController"]
