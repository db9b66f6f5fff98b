"""The figures of this process, for Prometheus."""

from flow2api.adapters.metrics.counted_journal import CountedJournal
from flow2api.adapters.metrics.exposition import Exposition

__all__ = ["CountedJournal", "Exposition"]
