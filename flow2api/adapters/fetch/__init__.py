"""Fetches pictures from addresses that strangers give, and from nowhere inside."""

from flow2api.adapters.fetch.picture_fetcher import GuardedFetcher

__all__ = ["GuardedFetcher"]
