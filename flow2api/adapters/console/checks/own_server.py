"""Requests of clients, handed to this very application: nothing leaves the process."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from litestar.types import ASGIApp

_MOST_BYTES = 48 * 1024 * 1024
_BOUNDARY = "flow2api-connection-check"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRequest:
    """What a client sends.

    Attributes:
        target: Path and query.
        agent: What the client calls itself.
    """

    method: str
    target: str
    body: bytes = b""
    content_type: str = ""
    agent: str = ""


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


def json_request(target: str, fields: Mapping[str, object], agent: str) -> ClientRequest:
    """A POST with JSON."""
    body = json.dumps(fields, ensure_ascii=False).encode()
    return ClientRequest(method="POST", target=target, body=body, content_type="application/json", agent=agent)


def form_request(
    target: str, fields: Mapping[str, str], agent: str, files: tuple[tuple[str, bytes], ...] = ()
) -> ClientRequest:
    """A POST with a form, as clients send files: all values are text.

    Args:
        files: PNG pictures with the names of their fields.
    """
    parts = [
        f'--{_BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    for index, (name, content) in enumerate(files):
        head = (
            f'--{_BOUNDARY}\r\ncontent-disposition: form-data; name="{name}"; filename="picture-{index}.png"\r\n'
            "content-type: image/png\r\n\r\n"
        )
        parts.append(head.encode() + content + b"\r\n")
    body = b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode()
    content_type = f"multipart/form-data; boundary={_BOUNDARY}"
    return ClientRequest(method="POST", target=target, body=body, content_type=content_type, agent=agent)


async def ask(app: ASGIApp, base_url: str, key: str, request: ClientRequest) -> ServerAnswer:
    """The application's answer.

    Args:
        base_url: Scheme and host that the request is sent to.

    Raises:
        ValueError: The answer is larger than anything that was asked for.
    """
    status, headers, chunks, size = 0, dict[str, str](), list[bytes](), 0
    is_sent, is_answered = False, asyncio.Event()

    async def receive() -> Any:
        nonlocal is_sent
        if not is_sent:
            is_sent = True
            return {"type": "http.request", "body": request.body, "more_body": False}
        await is_answered.wait()  # a client that waits for its answer is still there
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status, size
        if message["type"] == "http.response.start":
            status = message["status"]
            headers.update({name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]})
        elif message["type"] == "http.response.body":
            size += len(message.get("body", b""))
            if size > _MOST_BYTES:
                raise ValueError("the answer is too large")
            chunks.append(message.get("body", b""))
            if not message.get("more_body", False):
                is_answered.set()

    try:
        await app(_scope(base_url, key, request), receive, send)
    finally:
        is_answered.set()
    return ServerAnswer(status, headers, b"".join(chunks))


def _scope(base_url: str, key: str, request: ClientRequest) -> Any:
    base = urlsplit(base_url)
    path, _, query = request.target.partition("?")
    headers = {
        "host": base.netloc,
        "authorization": f"Bearer {key}",
        "user-agent": request.agent,
        "accept": "*/*",
        "content-length": str(len(request.body)),
    }
    if request.content_type:
        headers["content-type"] = request.content_type
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": base.scheme,
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 0),
        "server": (base.hostname or "127.0.0.1", base.port or (443 if base.scheme == "https" else 80)),
        "state": {},
    }
