"""Writes messages to operators, wherever they read them."""

from flow2api.adapters.notify.messenger import AppriseMessenger

__all__ = ["AppriseMessenger"]
