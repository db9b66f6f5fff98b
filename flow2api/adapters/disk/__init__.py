"""Media on the local disk."""

from flow2api.adapters.disk.media_store import DiskMediaStore

__all__ = ["DiskMediaStore"]
