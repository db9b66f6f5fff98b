"""Sealing: AES-256-GCM per value, bound to where the value is kept."""

import base64
import binascii
import functools
import hmac
import os
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flow2api.adapters.vault.keys import KeyRing, MasterKey
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.secret import Secret

VERSION = "v1"
NONCE_BYTES = 12


class AesGcmCipher:
    """Seals secrets as ``v1:<key id>:<base64url of nonce, cipher text and tag>``.

    The place is associated data: a sealed text that was moved to another row or column does not open.
    Methods may be called from any thread.
    """

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def prepare(self, *, holds_secrets: bool) -> None:
        self._keys.prepare(holds_secrets=holds_secrets)

    def seal(self, secret: Secret, *, place: str) -> str:
        key = self._keys.writing
        nonce = os.urandom(NONCE_BYTES)
        sealed = _aead(key).encrypt(nonce, secret.reveal().encode(), _bound(key, place))
        return f"{VERSION}:{key.id}:{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, place: str) -> Secret:
        version, _, rest = sealed.partition(":")
        key_id, _, text = rest.partition(":")
        if version != VERSION:
            raise ConfigurationError("A stored secret has a form that this version cannot read.")
        key = self._keys.by_id(key_id)
        if key is None:
            raise ConfigurationError(
                f"The stored secrets were sealed with another key (id {key_id[:16]}) than the one that is set. "
                "Set the key that was used before; several keys may be given, separated by commas."
            )
        try:
            raw = base64.b64decode(text, altchars=b"-_", validate=True)
            opened = _aead(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(key, place))
        except (InvalidTag, binascii.Error, ValueError) as cause:
            raise ConfigurationError(
                f"The secret stored at {place} is damaged or was moved there from another place. Enter it again."
            ) from cause
        return Secret(opened.decode())

    def digest(self, secret: Secret, *, purpose: str) -> bytes:
        return hmac.digest(self._keys.writing.derive(f"digest/{purpose}"), secret.reveal().encode(), "sha256")


def _bound(key: MasterKey, place: str) -> bytes:
    return f"{VERSION}:{key.id}:{place}".encode()


@functools.lru_cache(maxsize=16)
def _aead(key: MasterKey) -> AESGCM:
    return AESGCM(key.derive("seal"))


if TYPE_CHECKING:
    from flow2api.domain.ports.secrets import Cipher

    def _is_a_cipher(cipher: AesGcmCipher) -> Cipher:
        return cipher
