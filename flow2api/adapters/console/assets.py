"""Style sheets and other files of the pages, under ``/static``."""

from typing import Any

from litestar import Router
from litestar.datastructures import MutableScopeHeaders
from litestar.file_system import BaseLocalFileSystem
from litestar.static_files import create_static_files_router
from litestar.types import ASGIApp, Message, Receive, Scope, Send
from litestar.types.composite_types import PathType
from litestar.types.file_types import FileInfo

from flow2api.adapters.console.landing import HEADERS
from flow2api.adapters.console.templates import static_folder

_HEADERS = {name: value for name, value in HEADERS.items() if name != "cache-control"}


class _Assets(BaseLocalFileSystem):
    """Files of ours. A name that no file can have (too long, with a NUL, below a file) is that of none."""

    async def info(self, path: PathType, **kwargs: Any) -> FileInfo:
        """What is known of the file.

        Raises:
            FileNotFoundError: There is none.
        """
        try:
            return await super().info(path, **kwargs)
        except (OSError, ValueError) as error:
            raise FileNotFoundError(path) from error


def assets_router() -> Router:
    """The router of ``/static``. Its answers carry what pages carry, but may be kept by browsers."""
    return create_static_files_router(
        path="/static", directories=[static_folder()], file_system=_Assets(), middleware=[_safe]
    )


def _safe(app: ASGIApp) -> ASGIApp:
    async def send_safely(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableScopeHeaders.from_message(message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await app(scope, receive, send_with_headers)

    return send_safely
