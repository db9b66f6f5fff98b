"""Things that are held in this process's memory for a moment."""

from flow2api.adapters.memory.fresh_media import FreshMedia

__all__ = ["FreshMedia"]
