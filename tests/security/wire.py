"""Requests as a hostile client may send them, byte by byte if need be."""

import json
import os
import socket
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str | None:
        """The code of the error that the body tells of."""
        code: str | None = self.json["error"]["code"]
        return code


@dataclass(frozen=True, slots=True)
class Wire:
    """The way to a server on the loopback.

    Attributes:
        pid: Its process, to be looked at from outside.
    """

    port: int
    key: str
    pid: int

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        key: str | None = "",
        timeout_s: float = TIMEOUT_S,
    ) -> Answer:
        """One request; the body is sent as JSON unless it is bytes. ``key`` None sends none."""
        sent = {"content-type": "application/json"} if body is not None else {}
        if key is not None:
            sent["authorization"] = f"Bearer {key or self.key}"
        payload = body if isinstance(body, bytes) or body is None else json.dumps(body)
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request(method, path, payload, {**sent, **(headers or {})})
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        """A bare connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S)

    def send(self, data: bytes) -> Answer:
        """The first answer to these very bytes; the connection is closed after it."""
        with self.connect() as sent:
            sent.sendall(data)
            got = b""
            while b"\r\n\r\n" not in got:
                if not (more := sent.recv(65536)):
                    raise ConnectionError("the server closed the connection without an answer")
                got += more
            head, _, body = got.partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            length = int(headers.get("content-length", "0"))
            while len(body) < length and (more := sent.recv(65536)):
                body += more
            return Answer(int(first.split()[1]), headers, body[:length])

    @property
    def memory_mib(self) -> float:
        """What the process has in memory, without what it shares with a file."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("RssAnon"))
        return int(line.split()[1]) / 1024

    @property
    def processor_s(self) -> float:
        """How long processors have worked for the process, which does not depend on what else they do."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    @property
    def open_files(self) -> int:
        """How many descriptors it holds."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))
