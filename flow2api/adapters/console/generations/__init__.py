"""What is being made, what was made, and how it went."""

from flow2api.adapters.console.generations.controller import LIVE_GENERATION, LIVE_GENERATIONS, GenerationsController
from flow2api.adapters.console.generations.media import MediaController

__all__ = ["LIVE_GENERATION", "LIVE_GENERATIONS", "GenerationsController", "MediaController"]
