"""Sealing a whole document under a passphrase, for files that leave the machine.

The document is JSON: ``flow2api_sealed`` is the version of the form, ``salt``, ``nonce`` and ``sealed`` are base64url.
Version 1 is scrypt (N = 2^17, r = 8, p = 1) and AES-256-GCM; the version and the salt are bound to the text.
"""

import base64
import os
import re
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.secret import Secret

VERSION = 1
COST = 2**17
"""How much a guess costs, N of scrypt: 128 MiB and a third of a second. Another one needs another version."""
SALT_BYTES = 16
NONCE_BYTES = 12

_TAG_BYTES = 16
_PIECE = 1024 * 1024
"""In letters of base64, which come in fours."""
_SEALED = re.compile(rb'"sealed"\s*:\s*"')
_FARTHEST = 4096


class SealedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The document on the wire, except that ``sealed``, which can be long, stays as it was read."""

    flow2api_sealed: int
    salt: str
    nonce: str
    sealed: bytes


class _Head(msgspec.Struct, frozen=True, kw_only=True):
    flow2api_sealed: int
    salt: str
    nonce: str
    sealed: Literal[""]


class Sealing:
    """A document that is sealed a part at a time; nobody who shares the process waits for the whole of it."""

    def __init__(self, passphrase: Secret) -> None:
        """Takes about half a second and 128 MiB, so that passphrases cannot be tried fast."""
        self._salt, self._nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
        self._encryptor = Cipher(algorithms.AES(_key(passphrase, self._salt)), modes.GCM(self._nonce)).encryptor()
        self._encryptor.authenticate_additional_data(_bound(self._salt))
        self._rest = b""

    def begin(self) -> bytes:
        """What the document begins with."""
        salt, nonce = _text(self._salt), _text(self._nonce)
        return f'{{"flow2api_sealed":{VERSION},"salt":"{salt}","nonce":"{nonce}","sealed":"'.encode()

    def part(self, data: bytes) -> bytes:
        """These bytes, sealed, as far as they make whole letters; the rest comes with what follows."""
        sealed = self._rest + self._encryptor.update(data)
        whole = len(sealed) // 3 * 3
        self._rest = sealed[whole:]
        return base64.urlsafe_b64encode(sealed[:whole])

    def end(self) -> bytes:
        """What the document ends with; nothing may follow."""
        sealed = self._rest + self._encryptor.finalize() + self._encryptor.tag
        return base64.urlsafe_b64encode(sealed) + b'"}'


def seal_document(data: bytes, passphrase: Secret) -> bytes:
    """The bytes as a sealed document. Takes about half a second and 128 MiB, so that passphrases cannot be tried fast."""
    sealing = Sealing(passphrase)
    return sealing.begin() + sealing.part(data) + sealing.end()


def read_sealed(data: bytes) -> SealedDocument | None:
    """The document, unopened; None when the bytes are something else."""
    found = _SEALED.search(data, 0, _FARTHEST)
    end = -1 if found is None else data.find(b'"', found.end())
    if found is None or end < 0:
        return None
    try:
        head = msgspec.json.decode(data[: found.end()] + data[end:], type=_Head)
    except msgspec.MsgspecError:
        return None
    return SealedDocument(
        flow2api_sealed=head.flow2api_sealed, salt=head.salt, nonce=head.nonce, sealed=data[found.end() : end]
    )


def open_document(document: SealedDocument, passphrase: Secret) -> bytes:
    """The bytes that were sealed.

    Raises:
        UnsupportedInputError: The passphrase is another one, the document is damaged, or its form is not known.
    """
    if document.flow2api_sealed != VERSION:
        raise UnsupportedInputError("The file was sealed by a newer flow2api; open it with that version.")
    try:
        salt, nonce = _bytes(document.salt, SALT_BYTES), _bytes(document.nonce, NONCE_BYTES)
        decryptor = Cipher(algorithms.AES(_key(passphrase, salt)), modes.GCM(nonce)).decryptor()
        decryptor.authenticate_additional_data(_bound(salt))
        opened, ahead = bytearray(), b""
        for start in range(0, len(document.sealed), _PIECE):
            ahead += base64.b64decode(document.sealed[start : start + _PIECE], altchars=b"-_", validate=True)
            opened += decryptor.update(ahead[:-_TAG_BYTES])
            ahead = ahead[-_TAG_BYTES:]
        decryptor.finalize_with_tag(ahead)
        return bytes(opened)
    except (InvalidTag, ValueError) as error:
        raise UnsupportedInputError("The passphrase is wrong, or the file is damaged.") from error


def _key(passphrase: Secret, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=COST, r=8, p=1).derive(passphrase.reveal().encode())


def _bound(salt: bytes) -> bytes:
    return f"flow2api sealed document {VERSION} ".encode() + salt


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _bytes(text: str, length: int) -> bytes:
    data = base64.b64decode(text, altchars=b"-_", validate=True)
    if len(data) != length:
        raise ValueError("wrong length")
    return data
