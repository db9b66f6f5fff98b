"""Whether somebody answers at an address."""

from flow2api.adapters.probe.reachability import answers_at

__all__ = ["answers_at"]
