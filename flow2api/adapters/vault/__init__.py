"""Secrets at rest: the operator's master key, the cipher under it, and signed links."""

from flow2api.adapters.vault.cipher import AesGcmCipher
from flow2api.adapters.vault.keys import KeyRing, KeySource, MasterKey
from flow2api.adapters.vault.links import HmacLinkSigner

__all__ = ["AesGcmCipher", "HmacLinkSigner", "KeyRing", "KeySource", "MasterKey"]
