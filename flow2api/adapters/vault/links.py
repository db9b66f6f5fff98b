"""Links that open one media for a while."""

import base64
import hmac
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from flow2api.adapters.vault.keys import KeyRing, MasterKey

TOLERANCE_S = 60
"""How far the clocks of those who sign and verify may be apart."""

LONGEST_LIFE_S = 7 * 24 * 3600


class HmacLinkSigner:
    """Signs with ``exp=<unix seconds>&kid=<key id>&sig=<base64url of HMAC-SHA-256>``.

    A link ends at most seven days ahead; one that claims more is refused.
    """

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def sign(self, media_id: str, expires_at: int) -> str:
        key = self._keys.writing
        return f"exp={expires_at}&kid={key.id}&sig={_signature(key, media_id, expires_at)}"

    def verify(self, media_id: str, query: str, now: int) -> bool:
        fields = _fields(query)
        if fields is None:
            return False
        expires_at, key_id, signature = fields
        key = self._keys.by_id(key_id)
        if key is None or not hmac.compare_digest(_signature(key, media_id, expires_at).encode(), signature.encode()):
            return False
        return now - TOLERANCE_S <= expires_at <= now + LONGEST_LIFE_S + TOLERANCE_S


def _fields(query: str) -> tuple[int, str, str] | None:
    """Expiry, key id and signature; None unless each stands there exactly once."""
    try:
        values = parse_qs(query, keep_blank_values=True, max_num_fields=16, errors="strict")
        expires_at, key_id, signature = (_single(values.get(name, [])) for name in ("exp", "kid", "sig"))
    except ValueError:
        return None
    # Only the very text that was signed: no sign, no leading zero, no digits of other scripts.
    if len(expires_at) > 12 or not expires_at.isascii() or not expires_at.isdigit() or expires_at.startswith("0"):
        return None
    return int(expires_at), key_id, signature


def _single(values: list[str]) -> str:
    (value,) = values
    return value


def _signature(key: MasterKey, media_id: str, expires_at: int) -> str:
    signed = hmac.digest(key.derive("media link"), f"{expires_at}\n{media_id}".encode(), "sha256")
    return base64.urlsafe_b64encode(signed).decode().rstrip("=")


if TYPE_CHECKING:
    from flow2api.domain.ports.media import LinkSigner

    def _is_a_link_signer(signer: HmacLinkSigner) -> LinkSigner:
        return signer
