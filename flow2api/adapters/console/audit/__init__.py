"""The page about what operators did."""

from flow2api.adapters.console.audit.controller import AuditController

__all__ = ["AuditController"]
