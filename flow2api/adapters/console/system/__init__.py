"""How the server itself is: checks, versions, load, backups, draining."""

from flow2api.adapters.console.system.controller import LIVE_SYSTEM, SystemController

__all__ = ["LIVE_SYSTEM", "SystemController"]
