"""Secrets at rest: the operator's master key, the cipher under it, signed links, passphrases, and codes by time."""

from flow2api.adapters.vault.cipher import AesGcmCipher
from flow2api.adapters.vault.gateway_name import GatewayName
from flow2api.adapters.vault.guesses import ZxcvbnMeter
from flow2api.adapters.vault.keys import KeyRing, KeySource, MasterKey
from flow2api.adapters.vault.links import HmacLinkSigner
from flow2api.adapters.vault.one_time_codes import TotpCodes
from flow2api.adapters.vault.passphrases import Argon2Passphrases

__all__ = [
    "AesGcmCipher",
    "Argon2Passphrases",
    "GatewayName",
    "HmacLinkSigner",
    "KeyRing",
    "KeySource",
    "MasterKey",
    "TotpCodes",
    "ZxcvbnMeter",
]
