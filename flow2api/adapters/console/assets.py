"""Style sheet, script, icons: read once, named by their content, sent compressed, kept by browsers for ever."""

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from flow2api.adapters.console.folders import static_folder
from flow2api.adapters.console.policy import STATIC_HEADERS

FOREVER = "public, max-age=31536000, immutable"

BUNDLE = "app.js"
"""One file, because a later one would register its extension after htmx has looked at the page."""
_PARTS = ("vendor/htmx.min.js", "vendor/hx-sse.min.js", "console.js")
_FILES = ("console.css", "icons.svg", "favicon.svg")
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent.

    Attributes:
        name: As it is written, such as ``console.css``.
        path: Where it is served; it holds a part of the content's hash, so that it can be kept for ever.
    """

    name: str
    path: str
    media_type: str
    content: bytes
    compressed: bytes


@cache
def assets() -> Mapping[str, Asset]:
    """Every asset of the console, by its name."""
    folder = static_folder()
    contents = {name: (folder / name).read_bytes() for name in _FILES}
    contents["console.css"] = _tight(contents["console.css"])
    contents[BUNDLE] = b"\n;".join((folder / part).read_bytes() for part in _PARTS)
    return {name: _asset(name, content) for name, content in contents.items()}


def asset_path(name: str) -> str:
    """Where an asset is served.

    Raises:
        KeyError: There is none of this name.
    """
    return assets()[name].path


def asset_routes() -> list[HTTPRouteHandler]:
    """The handler of ``/static``."""

    @get("/static/{file_name:str}", include_in_schema=False)
    async def static_file(request: Request[Any, Any, Any], file_name: FromPath[str]) -> Response[bytes]:
        asset = _by_path().get(f"/static/{file_name}")
        if asset is None:
            raise NotFoundException
        headers = dict(STATIC_HEADERS) | {"cache-control": FOREVER, "vary": "accept-encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            return Response(asset.compressed, headers=headers, media_type=asset.media_type)
        return Response(asset.content, headers=headers, media_type=asset.media_type)

    return [static_file]


@cache
def _by_path() -> Mapping[str, Asset]:
    return {asset.path: asset for asset in assets().values()}


def _tight(style_sheet: bytes) -> bytes:
    """A style sheet without its comments and without the blanks around its braces."""
    bare = re.sub(rb"/\*.*?\*/", b"", style_sheet, flags=re.DOTALL)
    return re.sub(rb"\s*([{};])\s*", rb"\1", bare).strip()


def _asset(name: str, content: bytes) -> Asset:
    path = Path(name)
    digest = hashlib.sha256(content).hexdigest()[:10]
    return Asset(
        name=name,
        path=f"/static/{path.stem}.{digest}{path.suffix}",
        media_type=_TYPES[path.suffix],
        content=content,
        compressed=gzip.compress(content, 9, mtime=0),
    )
