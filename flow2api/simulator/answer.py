"""What is sent back to a caller."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

JSON = "application/json; charset=UTF-8"
HTML = "text/html; charset=utf-8"
encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Response:
    """What is sent back: ``headers`` beside content type and length."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


def json_response(data: Any, status: int = 200, headers: list[tuple[bytes, bytes]] | None = None) -> Response:
    """A JSON answer."""
    return Response(status, encode(data), JSON, headers or [])


def html_response(text: str, status: int = 200) -> Response:
    """An HTML page, as the upstream's front end sends for some failures."""
    page = f"<!doctype html><html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>"
    return Response(status, page.encode(), HTML)
