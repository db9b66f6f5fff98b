"""Drives the simulator's application in this process, without a socket."""

import json
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from flow2api.simulator.accounts import Account
from flow2api.simulator.app import ABORT, SimulatorApp
from flow2api.simulator.calls_labs import COOKIE
from flow2api.simulator.clock import SimClock
from flow2api.simulator.control_schema import AccountKnobs, SimOptions
from flow2api.simulator.world import World

START = 1_780_000_000.0
RATIO = "IMAGE_ASPECT_RATIO_LANDSCAPE"
VIDEO_RATIO = "VIDEO_ASPECT_RATIO_LANDSCAPE"


class FakeMonotonic:
    """Real seconds that pass only when told."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Answer:
    """What came back; ``cut`` when the connection was closed before the end."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    cut: bool = False

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        return str(self.json()["error"]["details"][0]["reason"])


class Player:
    """A world with a stopped clock, an application over it, and an account to play with."""

    def __init__(self, **options: Any) -> None:
        settings: dict[str, Any] = {"picture_s": 0, "picture_upscale_s": 0, "media": "small"} | options
        clock = SimClock(FakeMonotonic(), lambda: START)
        self.world = World(first_options=SimOptions(**settings), clock=clock)
        self.app = SimulatorApp(self.world)
        self.account = self.add()
        self.bearer = ""
        self.project = ""

    def add(self, **knobs: Any) -> Account:
        return self.world.book.add(AccountKnobs(**knobs), self.world.clock.now())

    async def sign_in(self, account: Account | None = None) -> "Player":
        """Exchanges the account's session and makes a project; later calls are its own."""
        self.account = account or self.account
        answer = await self.labs("GET", "/auth/session")
        self.bearer = answer.json()["access_token"]
        made = await self.labs("POST", "/trpc/project.createProject", {"json": {"projectTitle": "Test"}})
        self.project = made.json()["result"]["data"]["json"]["result"]["projectId"]
        return self

    async def labs(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Answer:
        cookie = f"{COOKIE}={token or self.account.session_token}"
        return await self.send(method, "/fx/api" + path, body, {"cookie": cookie})

    async def api(self, method: str, path: str, body: Any = None) -> Answer:
        return await self.send(method, "/v1" + path, body, {"authorization": f"Bearer {self.bearer}"})

    async def control(self, method: str, path: str, body: Any = None, host: str = "127.0.0.1:1") -> Answer:
        return await self.send(method, "/_sim" + path, body, {"host": host})

    async def picture(self, prompt: str = "a mug", model: str = "GEM_PIX_2", **fields: Any) -> Answer:
        request = {"imageModelName": model, "imageAspectRatio": RATIO, "prompt": prompt, "seed": 7} | fields
        return await self.api(
            "POST", f"/projects/{self.project}/flowMedia:batchGenerateImages", {"requests": [request]}
        )

    async def video(
        self, prompt: str = "a cat", model: str = "veo_3_1_t2v_fast", path: str = "GenerateVideoText", **fields: Any
    ) -> Answer:
        request = {"videoModelKey": model, "aspectRatio": VIDEO_RATIO, "textInput": {"prompt": prompt}} | fields
        body = {"clientContext": {"projectId": self.project}, "requests": [request]}
        return await self.api("POST", f"/video:batchAsync{path}", body)

    async def poll(self, *names: str) -> Answer:
        return await self.api(
            "POST", "/video:batchCheckAsyncVideoGenerationStatus", {"media": [{"name": name} for name in names]}
        )

    async def finished_video(self, **fields: Any) -> str:
        """The name of a video that is done."""
        submitted = (await self.video(**fields)).json()
        self.world.clock.advance(self.world.options.video_s)
        if "media" in submitted:
            return str(submitted["media"][0]["name"])
        polled = await self.poll(submitted["operations"][0]["operation"]["name"])
        return str(polled.json()["operations"][0]["mediaGenerationId"])

    async def send(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        parts, answer = urlsplit(path), Answer()
        scope: MutableMapping[str, Any] = {
            "type": "http",
            "method": method,
            "path": parts.path,
            "query_string": parts.query.encode(),
            "headers": [(key.encode(), value.encode()) for key, value in (headers or {}).items()],
            "extensions": {ABORT: lambda **_: setattr(answer, "cut", True)},
        }

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = {key.decode(): value.decode() for key, value in message["headers"]}
            else:
                answer.body += message.get("body", b"")

        await self.app(scope, receive, send)
        return answer
