"""Reads the SQLite file of the server that had this name before. It is never written."""

from flow2api.adapters.legacy.file import SqliteLegacyFile

__all__ = ["SqliteLegacyFile"]
