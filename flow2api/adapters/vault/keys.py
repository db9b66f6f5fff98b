"""The master key: where it comes from, how it is made, and what is derived from it."""

import base64
import binascii
import functools
import logging
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from flow2api.domain.errors import ConfigurationError
from flow2api.domain.secret import Secret

KEY_BYTES = 32
LEAST_DISTINCT_BYTES = 8
"""A key of chance has about 30 different bytes; one with fewer than this was typed or is a sample."""

_log = logging.getLogger(__name__)


class MasterKey:
    """One master key of 32 bytes. ``repr`` shows only its id.

    Attributes:
        id: Eight hex digits that tell keys apart and say nothing about them.
    """

    __slots__ = ("_material", "id")

    def __init__(self, material: bytes) -> None:
        if len(material) != KEY_BYTES or len(set(material)) < LEAST_DISTINCT_BYTES:
            raise ConfigurationError(
                "The secret key must be 32 random bytes as base64url. Make one with: openssl rand -base64 32"
            )
        self._material = material
        self.id = _expand(material, "key id", 4).hex()

    @classmethod
    def parse(cls, text: str) -> "MasterKey":
        """The key from its text form: base64url or plain base64, with or without padding.

        Raises:
            ConfigurationError: It is empty, short, or no base64.
        """
        try:
            material = base64.b64decode(text.translate(_PLAIN_ALPHABET) + "=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError):
            material = b""
        return cls(material)

    def derive(self, purpose: str) -> bytes:
        """A key of 32 bytes for one purpose (HKDF-SHA-256); no derived key tells anything about another."""
        return _expand(self._material, purpose, 32)

    def __repr__(self) -> str:
        return f"MasterKey({self.id})"


_PLAIN_ALPHABET = str.maketrans("-_", "+/")


@functools.lru_cache(maxsize=64)
def _expand(material: bytes, purpose: str, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=f"flow2api/v1/{purpose}".encode()).derive(material)


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where the master key is to be found. ``value`` and ``file`` exclude each other.

    Each may hold several keys, separated by commas or white space: the first one writes, all of them read.

    Attributes:
        value: The key itself, from the environment.
        file: A file that holds it.
        default_file: Used when neither is given, and the only one that is ever made.
    """

    value: Secret | None
    file: Path | None
    default_file: Path


class KeyRing:
    """The master keys in use, shared by the cipher and the link signer. Empty until :meth:`prepare`."""

    def __init__(self, source: KeySource) -> None:
        self._source = source
        self._keys: tuple[MasterKey, ...] = ()

    def prepare(self, *, holds_secrets: bool) -> None:
        """Find the keys, or make one when there is none and nothing waits for it. Blocks on files.

        Raises:
            ConfigurationError: There is no key although secrets wait for it, or it cannot be used.
        """
        source = self._source
        if source.value is not None and source.file is not None:
            raise ConfigurationError("Set either the secret key or the file that holds it, not both.")
        if source.value is not None:
            self._keys = _parse(source.value.reveal())
        elif source.file is not None:
            self._keys = _read(source.file)
        else:
            if not source.default_file.exists():
                if holds_secrets:
                    raise ConfigurationError(
                        f"The database holds secrets, but there is no key to read them: set FLOW2API_SECRET_KEY, or "
                        f"put the key file back at {source.default_file}."
                    )
                _make(source.default_file)
            self._keys = _read(source.default_file)

    @property
    def writing(self) -> MasterKey:
        """The key under which everything new is written.

        Raises:
            ConfigurationError: :meth:`prepare` was not called.
        """
        if not self._keys:
            raise ConfigurationError("The secret key is not loaded yet; open the storage first.")
        return self._keys[0]

    def by_id(self, key_id: str) -> MasterKey | None:
        """The key with this id; None when it is not on the ring."""
        return next((key for key in self._keys if key.id == key_id), None)


def _parse(text: str) -> tuple[MasterKey, ...]:
    keys = tuple(MasterKey.parse(part) for part in text.replace(",", " ").split())
    return keys or (MasterKey.parse(""),)


def _read(path: Path) -> tuple[MasterKey, ...]:
    try:
        with path.open("rb") as file:
            # The mode of the opened file, not of whatever stands there a moment later.
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = file.read(4096).decode("ascii", "replace")
    except OSError as cause:
        raise ConfigurationError(f"The secret key file {path} cannot be read: {cause.strerror}.") from cause
    if mode & 0o077:
        raise ConfigurationError(
            f"The secret key file {path} can be read by others (mode {mode:04o}). Close it with: chmod 600 {path}"
        )
    return _parse(text)


def _make(path: Path) -> None:
    """Write a new key under a name of its own and link it into place: whoever comes second keeps the first one's."""
    text = base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode().rstrip("=") + "\n"
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(draft)
            _log.warning("made the secret key %s: keep a copy, without it the stored secrets are lost", path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
        _sync_folder(path.parent)
    except OSError as cause:
        raise ConfigurationError(f"The secret key file {path} cannot be made: {cause.strerror}.") from cause


def _sync_folder(folder: Path) -> None:
    # Without this a power cut could keep the sealed rows and lose the name of the key.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
