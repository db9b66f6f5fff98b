"""The least that a gateway can do: Litestar, one shared session, the two upstream calls of a picture.

python bench/floor_app.py PORT SIMULATOR_READY_FILE

It keeps nothing, checks nothing and knows one wire era (2026-06). What the gateway costs is measured against it.
"""

import base64
import itertools
import json
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from curl_cffi import CurlHttpVersion
from curl_cffi.requests import AsyncSession
from litestar import Litestar, Request, Response, post
from litestar.response import Stream

Ready = dict[str, Any]
COOKIE = "__Secure-next-auth.session-token"


class Upstream:
    """Every account of the simulator, in turn."""

    def __init__(self, ready: Ready) -> None:
        self._labs, self._api = ready["labs_base_url"], ready["api_base_url"]
        self._sessions = [one["session_token"] for one in ready["accounts"]]
        self._http: AsyncSession[Any] = AsyncSession(
            max_clients=256, http_version=CurlHttpVersion.V1_1, trust_env=False
        )
        self._accounts: itertools.cycle[tuple[str, str]] = itertools.cycle(())

    async def open(self) -> None:
        """Exchange every session and make a project for it."""
        accounts = []
        for session in self._sessions:
            cookie = {"Cookie": f"{COOKIE}={session}"}
            answer = await self._http.get(f"{self._labs}/auth/session", headers=cookie)
            body = {"json": {"projectTitle": "floor", "toolName": "PINHOLE"}}
            made = await self._http.post(f"{self._labs}/trpc/project.createProject", headers=cookie, json=body)
            project = made.json()["result"]["data"]["json"]["result"]["projectId"]  # type: ignore[no-untyped-call]
            accounts.append((answer.json()["access_token"], project))  # type: ignore[no-untyped-call]
        self._accounts = itertools.cycle(accounts)

    async def picture(self, prompt: str) -> bytes:
        """Generate one and download it."""
        token, project = next(self._accounts)
        context = {
            "recaptchaContext": {"token": "", "applicationType": "RECAPTCHA_APPLICATION_TYPE_WEB"},
            "sessionId": ";1",
            "projectId": project,
            "tool": "PINHOLE",
        }
        wanted = {
            "clientContext": context,
            "seed": 1,
            "imageModelName": "GEM_PIX_2",
            "imageAspectRatio": "IMAGE_ASPECT_RATIO_SQUARE",
            "structuredPrompt": {"parts": [{"text": prompt}]},
            "imageInputs": [],
        }
        batch = {"batchId": str(uuid.uuid4())}
        body = {"clientContext": context, "mediaGenerationContext": batch, "useNewMedia": True, "requests": [wanted]}
        answer = await self._http.post(
            f"{self._api}/projects/{project}/flowMedia:batchGenerateImages",
            data=msgspec.json.encode(body),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        address = msgspec.json.decode(answer.content)["media"][0]["image"]["generatedImage"]["fifeUrl"]
        return (await self._http.get(address)).content

    async def aclose(self) -> None:
        await self._http.close()


def create_app(ready: Ready) -> Litestar:
    upstream = Upstream(ready)

    @post("/v1/images/generations", status_code=200)
    async def generate(request: Request[Any, Any, Any]) -> Response[Any]:
        wanted = msgspec.json.decode(await request.body())
        if wanted.get("stream"):
            return Stream(events(wanted["prompt"]), media_type="text/event-stream")
        picture = await upstream.picture(wanted["prompt"])
        return Response({"data": [{"b64_json": base64.b64encode(picture).decode("ascii")}]})

    async def events(prompt: str) -> AsyncIterator[bytes]:
        picture = await upstream.picture(prompt)
        event = {"type": "image_generation.completed", "b64_json": base64.b64encode(picture).decode("ascii")}
        yield b"data: " + msgspec.json.encode(event) + b"\n\n"

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        await upstream.open()
        yield
        await upstream.aclose()

    return Litestar([generate], lifespan=[lifespan], openapi_config=None, logging_config=None)


def main() -> None:
    app = create_app(json.loads(Path(sys.argv[2]).read_text()))
    uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
