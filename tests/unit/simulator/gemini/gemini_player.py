"""A player with an API key."""

import base64
from typing import Any

from tests.unit.simulator.player import Answer, Player

MODEL = "gemini-3.1-flash-image"
VEO = "veo-3.1-fast-generate-preview"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class GeminiPlayer(Player):
    """A player with an API key."""

    async def gemini(self, method: str, path: str, body: Any = None, *, key: str | None = None) -> Answer:
        headers = {"x-goog-api-key": self.account.api_key if key is None else key}
        return await self.send(method, "/gemini/v1beta" + path, body, headers if key != "" else {})

    async def generate(self, text: str = "a mug", **config: Any) -> Answer:
        shape = {"aspectRatio": "1:1"} | config.pop("imageConfig", {})
        wanted = {"responseModalities": ["TEXT", "IMAGE"], "imageConfig": shape} | config
        body = {"contents": [{"parts": [{"text": text}]}], "generationConfig": wanted}
        return await self.gemini("POST", f"/models/{MODEL}:generateContent", body)

    async def begin(self, text: str = "a cat", model: str = VEO, **instance: Any) -> Answer:
        return await self.gemini(
            "POST", f"/models/{model}:predictLongRunning", {"instances": [{"prompt": text} | instance]}
        )

    async def interact(self, text: str = "a cat", **fields: Any) -> Answer:
        wanted = {"type": "video", "delivery": "uri"} | fields.pop("response_format", {})
        body = {"model": "gemini-omni-1.2-flash", "input": text, "background": True, "response_format": wanted}
        return await self.gemini("POST", "/interactions", body | fields)


def status_of(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json()["error"]["status"]
