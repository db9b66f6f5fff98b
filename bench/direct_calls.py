"""The two upstream calls of a picture, made by the client itself: what latency is added to."""

import itertools
from typing import Any
from urllib.parse import urlsplit

import msgspec
from client import Connection, request_bytes
from floor_app import COOKIE
from stage import PROMPT


class DirectCalls:
    """Makes pictures over one connection to the simulator.

    Args:
        ready: What the simulator told when it was up.
        count: How many of its accounts take turns.
    """

    def __init__(self, ready: dict[str, Any], *, count: int) -> None:
        self._labs, self._api = ready["labs_base_url"], ready["api_base_url"]
        self._sessions = [one["session_token"] for one in ready["accounts"][:count]]
        self._requests: itertools.cycle[bytes] = itertools.cycle(())
        self._connection: Connection | None = None
        self.total_ms: list[float] = []

    async def open(self, connection: Connection) -> None:
        """Exchange the sessions and make a project for each."""
        requests = []
        for session in self._sessions:
            cookie = {"cookie": f"{COOKIE}={session}"}
            exchanged = await connection.ask(request_bytes("GET", f"{self._labs}/auth/session", headers=cookie))
            body = {"json": {"projectTitle": "direct", "toolName": "PINHOLE"}}
            made = await connection.ask(
                request_bytes("POST", f"{self._labs}/trpc/project.createProject", headers=cookie, document=body)
            )
            project = made.json()["result"]["data"]["json"]["result"]["projectId"]
            requests.append(self._request(exchanged.json()["access_token"], project))
        self._requests = itertools.cycle(requests)
        self._connection = connection

    async def take_turn(self, count: int) -> None:
        """Some pictures, one after the other."""
        assert self._connection is not None
        for _ in range(count):
            made = await self._connection.ask(next(self._requests))
            address = made.json()["media"][0]["image"]["generatedImage"]["fifeUrl"]
            fetched = await self._connection.ask(request_bytes("GET", address))
            assert made.status == fetched.status == 200, (made.status, fetched.status)
            self.total_ms.append(made.total_ms + fetched.total_ms)

    def _request(self, token: str, project: str) -> bytes:
        context = {"sessionId": ";1", "projectId": project, "tool": "PINHOLE"}
        wanted = {
            "clientContext": context,
            "seed": 1,
            "imageModelName": "GEM_PIX_2",
            "imageAspectRatio": "IMAGE_ASPECT_RATIO_SQUARE",
            "structuredPrompt": {"parts": [{"text": PROMPT}]},
            "imageInputs": [],
        }
        url = f"{self._api}/projects/{project}/flowMedia:batchGenerateImages"
        assert urlsplit(url).scheme == "http"
        document = msgspec.json.encode({"clientContext": context, "useNewMedia": True, "requests": [wanted]})
        return request_bytes("POST", url, headers={"authorization": f"Bearer {token}"}, document=document)
