"""How large a picture is, read from its first bytes without decoding it."""

from struct import unpack_from

from flow2api.domain.media import PictureFacts, sniff_content_type

_MAX_SEGMENTS = 512
"""A JPEG's longest run of segments (64 KiB each) that is walked through; bounds the work on a hostile file."""

_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD8)))


def picture_facts(head: bytes) -> PictureFacts | None:
    """Type and size of a PNG, JPEG or WebP as it is stored, before any rotation that its metadata asks for.

    It decodes nothing, costs microseconds on any input and proves nothing about the rest of the file.

    Args:
        head: The beginning of the file: 30 bytes do for PNG and WebP; a JPEG may carry metadata of up to some hundred
            kilobytes before its size, usually far less.

    Returns:
        None when it is no such picture, or when ``head`` ends too early.
    """
    content_type = sniff_content_type(head)
    size = None
    if content_type == "image/png":
        size = _png_size(head)
    elif content_type == "image/jpeg":
        size = _jpeg_size(head)
    elif content_type == "image/webp":
        size = _webp_size(head)
    if content_type is None or size is None or 0 in size:
        return None
    return PictureFacts(content_type, *size)


def turned(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Width and height as a viewer shows them.

    Args:
        orientation: The Exif tag 0x0112, 1 to 8; 5 to 8 lie on their side. Other values are as 1.
    """
    return (height, width) if 5 <= orientation <= 8 else (width, height)


def _png_size(head: bytes) -> tuple[int, int] | None:
    if len(head) < 24 or head[12:16] != b"IHDR":
        return None
    width, height = unpack_from(">II", head, 16)
    return width, height


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    at = 2
    for _ in range(_MAX_SEGMENTS):
        if len(head) < at + 9 or head[at] != 0xFF:
            return None
        marker = head[at + 1]
        if marker in _START_OF_FRAME:
            height, width = unpack_from(">HH", head, at + 5)
            return width, height
        if marker == 0xFF:
            at += 1
        elif marker in _WITHOUT_LENGTH:
            at += 2
        else:
            at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None


def _webp_size(head: bytes) -> tuple[int, int] | None:
    if len(head) < 30:
        return None
    chunk = head[12:16]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if chunk == b"VP8L" and head[20] == 0x2F:
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = unpack_from("<HH", head, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None
