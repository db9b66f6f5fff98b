"""The machine we run on: time and names."""

from flow2api.adapters.system.clock import SystemClock
from flow2api.adapters.system.ids import RandomIds

__all__ = ["RandomIds", "SystemClock"]
