"""The service itself, in this process: it knows keys, keeps uploads for a while, and paints."""

import hashlib
import struct
import zlib
from collections import OrderedDict
from itertools import count

Colour = tuple[int, int, int]

KEY_PREFIX = "swatch-"
KEPT_UPLOADS = 200
NAMED: dict[str, Colour] = {
    "black": (0, 0, 0),
    "white": (255, 255, 255),
    "red": (200, 30, 30),
    "orange": (240, 140, 20),
    "yellow": (245, 215, 40),
    "green": (40, 150, 60),
    "teal": (0, 128, 128),
    "blue": (30, 70, 190),
    "purple": (120, 40, 150),
    "brown": (110, 70, 40),
}


class RefusedError(Exception):
    """The service does not paint this."""


class PaintShop:
    """Takes every key that begins with ``swatch-`` and was not revoked.

    Attributes:
        revoked: Keys that it takes no more.
    """

    def __init__(self, refused_words: tuple[str, ...] = ()) -> None:
        self.revoked: set[str] = set()
        self._refused_words = refused_words
        self._uploads: OrderedDict[str, str] = OrderedDict()
        self._numbers = count(1)

    def knows(self, key: str) -> bool:
        """Whether this key opens anything."""
        return key.startswith(KEY_PREFIX) and key not in self.revoked

    def keep(self, key: str, picture: bytes) -> str:
        """Keep an upload of this key; the oldest one of all goes when there are too many."""
        handle = f"upload-{next(self._numbers)}-{hashlib.sha256(picture).hexdigest()[:8]}"
        self._uploads[handle] = key
        while len(self._uploads) > KEPT_UPLOADS:
            self._uploads.popitem(last=False)
        return handle

    def has(self, key: str, handle: str) -> bool:
        """Whether this key has uploaded this, and it is still kept."""
        return self._uploads.get(handle) == key

    def paint(self, prompt: str, width: int, height: int, variant: int) -> bytes:
        """A picture of the colour that the prompt names, or of one that follows from its words.

        Raises:
            RefusedError: It has a word that is not painted.
        """
        for word in self._refused_words:
            if word in prompt.lower():
                raise RefusedError(f"The word {word!r} is not painted here.")
        return png(colour_of(prompt, variant), width, height)


def colour_of(prompt: str, variant: int = 0) -> Colour:
    """The first colour that is named, a little darker with each variant; or one that follows from the words."""
    for word in prompt.lower().split():
        named = NAMED.get(word.strip(".,;:!?"))
        if named is not None:
            red, green, blue = (max(0, part - 12 * variant) for part in named)
            return red, green, blue
    digest = hashlib.sha256(f"{prompt}|{variant}".encode()).digest()
    return digest[0], digest[1], digest[2]


def png(colour: Colour, width: int, height: int) -> bytes:
    """A PNG of one colour: one bit for each pixel, and a palette of that colour."""
    row = b"\x00" + bytes((width + 7) // 8)
    header = struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)
    parts = [(b"IHDR", header), (b"PLTE", bytes(colour)), (b"IDAT", zlib.compress(row * height)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )
