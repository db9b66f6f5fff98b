"""Sealing and signing that hide nothing, for tests."""

import hashlib
from typing import TYPE_CHECKING

from flow2api.domain.secret import Secret

if TYPE_CHECKING:
    from flow2api.domain.ports.media import LinkSigner
    from flow2api.domain.ports.secrets import Cipher


class FakeCipher:
    """Seals nothing, but binds to a place."""

    def prepare(self, *, holds_secrets: bool) -> None:
        return

    def seal(self, secret: Secret, *, place: str) -> str:
        return f"{place}|{secret.reveal()}"

    def open(self, sealed: str, *, place: str) -> Secret:
        return Secret(sealed.removeprefix(f"{place}|"))

    def digest(self, secret: Secret, *, purpose: str) -> bytes:
        return hashlib.sha256(f"{purpose}|{secret.reveal()}".encode()).digest()


class FakeLinkSigner:
    """Signs with the id itself."""

    def sign(self, media_id: str, expires_at: int) -> str:
        return f"exp={expires_at}&sig={media_id}"

    def verify(self, media_id: str, query: str, now: int) -> bool:
        expires, _, signature = query.removeprefix("exp=").partition("&sig=")
        return signature == media_id and expires.isdecimal() and now < int(expires)


if TYPE_CHECKING:
    _cipher: Cipher = FakeCipher()
    _signer: LinkSigner = FakeLinkSigner()
