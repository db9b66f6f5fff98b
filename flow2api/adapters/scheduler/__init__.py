"""Runs what goes on behind the requests."""

from flow2api.adapters.scheduler.background import Background

__all__ = ["Background"]
