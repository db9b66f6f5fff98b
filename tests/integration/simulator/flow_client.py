"""A small client of the upstream's protocol, as its web page would speak it."""

from typing import Any, Self

from curl_cffi.const import CurlHttpVersion
from curl_cffi.requests import AsyncSession

from flow2api.testing.simulator import SimAccount, SimulatorProcess

COOKIE = "__Secure-next-auth.session-token"


class FlowClient:
    """One account's calls. It follows no redirects."""

    def __init__(self, simulator: SimulatorProcess, account: SimAccount) -> None:
        self.simulator, self.account = simulator, account
        self.project = self.bearer = ""
        self.session: AsyncSession[Any] = AsyncSession(
            http_version=CurlHttpVersion.V1_1, allow_redirects=False, trust_env=False, timeout=60
        )

    async def __aenter__(self) -> Self:
        self.bearer = (await self.labs("GET", "/auth/session")).json()["access_token"]
        made = await self.labs(
            "POST", "/trpc/project.createProject", {"json": {"projectTitle": "T", "toolName": "PINHOLE"}}
        )
        self.project = made.json()["result"]["data"]["json"]["result"]["projectId"]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()

    async def labs(self, method: Any, path: str, body: Any = None) -> Any:
        headers = {"cookie": f"{COOKIE}={self.account.session_token}"}
        return await self.session.request(method, self.simulator.labs_base_url + path, json=body, headers=headers)

    async def api(self, method: Any, path: str, body: Any = None) -> Any:
        headers = {"authorization": f"Bearer {self.bearer}"}
        return await self.session.request(method, self.simulator.api_base_url + path, json=body, headers=headers)

    async def get(self, url: str) -> Any:
        return await self.session.get(url)

    async def picture(self, prompt: str, **fields: Any) -> Any:
        request = {"imageModelName": "GEM_PIX_2", "imageAspectRatio": "IMAGE_ASPECT_RATIO_LANDSCAPE", "prompt": prompt}
        body = {"requests": [request | {"seed": 1} | fields]}
        return await self.api("POST", f"/projects/{self.project}/flowMedia:batchGenerateImages", body)

    async def video(self, prompt: str, model: str = "veo_3_1_t2v_fast", path: str = "Text", **fields: Any) -> Any:
        request = {
            "videoModelKey": model,
            "aspectRatio": "VIDEO_ASPECT_RATIO_LANDSCAPE",
            "textInput": {"prompt": prompt},
        }
        body = {"clientContext": {"projectId": self.project}, "requests": [request | fields]}
        return await self.api("POST", f"/video:batchAsyncGenerateVideo{path}", body)

    async def poll(self, submitted: Any) -> Any:
        body = {key: submitted[key] for key in ("operations", "media") if key in submitted}
        if "media" in body:
            body["media"] = [{"name": entry["name"], "projectId": entry["projectId"]} for entry in body["media"]]
        return (await self.api("POST", "/video:batchCheckAsyncVideoGenerationStatus", body)).json()
