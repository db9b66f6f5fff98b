"""Tells supervisors and load balancers how the process is."""

from flow2api.adapters.health.controller import Readiness, health_handlers

__all__ = ["Readiness", "health_handlers"]
