"""Media on the local disk."""

from flow2api.adapters.disk.media_store import FLUSH_WITHIN_S, DiskMediaStore

__all__ = ["FLUSH_WITHIN_S", "DiskMediaStore"]
