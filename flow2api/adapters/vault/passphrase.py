"""Sealing a whole document under a passphrase, for files that leave the machine.

The document is JSON: ``flow2api_sealed`` is the version of the form, ``salt``, ``nonce`` and ``sealed`` are base64url.
Version 1 is scrypt (N = 2^17, r = 8, p = 1) and AES-256-GCM; the version and the salt are bound to the text.
"""

import base64
import os

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.secret import Secret

VERSION = 1
SALT_BYTES = 16
NONCE_BYTES = 12


class SealedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The document on the wire."""

    flow2api_sealed: int
    salt: str
    nonce: str
    sealed: str


def seal_document(data: bytes, passphrase: Secret) -> bytes:
    """The bytes as a sealed document. Takes about half a second and 128 MiB, so that passphrases cannot be tried fast."""
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    sealed = AESGCM(_key(passphrase, salt)).encrypt(nonce, data, _bound(salt))
    document = SealedDocument(flow2api_sealed=VERSION, salt=_text(salt), nonce=_text(nonce), sealed=_text(sealed))
    return msgspec.json.encode(document)


def read_sealed(data: bytes) -> SealedDocument | None:
    """The document, unopened; None when the bytes are something else."""
    try:
        return msgspec.json.decode(data, type=SealedDocument)
    except msgspec.MsgspecError:
        return None


def open_document(document: SealedDocument, passphrase: Secret) -> bytes:
    """The bytes that were sealed.

    Raises:
        UnsupportedInputError: The passphrase is another one, the document is damaged, or its form is not known.
    """
    if document.flow2api_sealed != VERSION:
        raise UnsupportedInputError("The file was sealed by a newer flow2api; open it with that version.")
    try:
        salt, nonce = _bytes(document.salt, SALT_BYTES), _bytes(document.nonce, NONCE_BYTES)
        return AESGCM(_key(passphrase, salt)).decrypt(nonce, _bytes(document.sealed), _bound(salt))
    except (InvalidTag, ValueError) as error:
        raise UnsupportedInputError("The passphrase is wrong, or the file is damaged.") from error


def _key(passphrase: Secret, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**17, r=8, p=1).derive(passphrase.reveal().encode())


def _bound(salt: bytes) -> bytes:
    return f"flow2api sealed document {VERSION} ".encode() + salt


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _bytes(text: str, length: int | None = None) -> bytes:
    data = base64.b64decode(text, altchars=b"-_", validate=True)
    if length is not None and len(data) != length:
        raise ValueError("wrong length")
    return data
