"""Bodies of the type ``multipart/form-data``."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

_ENDINGS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


@dataclass(frozen=True, slots=True)
class Body:
    """The body of a call."""

    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class FilePart:
    """A picture in a form."""

    name: str
    data: bytes
    content_type: str


def form(fields: Iterable[tuple[str, str]], files: Iterable[FilePart] = ()) -> Body:
    """A form. The names are ours; texts and files may hold anything, for the boundary cannot be guessed."""
    boundary = f"flow2api-{secrets.token_hex(16)}"
    pieces: list[bytes] = []
    for name, text in fields:
        pieces += [_head(boundary, f'name="{name}"'), b"\r\n", text.encode(), b"\r\n"]
    for number, part in enumerate(files, 1):
        ending = _ENDINGS.get(part.content_type, "bin")
        disposition = f'name="{part.name}"; filename="input-{number}.{ending}"'
        pieces += [
            _head(boundary, disposition),
            f"Content-Type: {part.content_type}\r\n\r\n".encode(),
            part.data,
            b"\r\n",
        ]
    pieces.append(f"--{boundary}--\r\n".encode())
    return Body(b"".join(pieces), f"multipart/form-data; boundary={boundary}")


def _head(boundary: str, disposition: str) -> bytes:
    return f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n".encode()
