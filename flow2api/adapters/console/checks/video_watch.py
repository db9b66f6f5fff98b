"""Waits for a video as clients do: asks for its state until it ends, and fetches what was made."""

from dataclasses import dataclass

from litestar.types import ASGIApp

from flow2api.adapters.console.checks.expectations import is_video_file, tells_video
from flow2api.adapters.console.checks.own_server import ClientRequest, ServerAnswer, ask
from flow2api.adapters.console.language import gettext
from flow2api.domain.ports.system import Clock

_SHORTEST_WAIT_S = 0.1
_LONGEST_WAIT_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoWatch:
    """How a client waits.

    Attributes:
        every_s: Between two questions; None obeys ``openai-poll-after-ms``, and takes a second without it.
        takes_link: It fetches the video by the ``url`` of the answer.
    """

    agent: str
    every_s: float | None = None
    takes_link: bool = False


async def watched(app: ASGIApp, base_url: str, key: str, watch: VideoWatch, begun: ServerAnswer, clock: Clock) -> str:
    """What the client would stumble over from the moment its video was begun; empty when it has the video."""
    answer = begun
    while not (reason := tells_video(answer)):
        video = answer.json
        if video["status"] == "failed":
            return gettext("The video failed: %(message)s") % {"message": str(video["error"].get("message"))[:300]}
        target = f"/v1/videos/{video['id']}"
        if video["status"] == "completed":
            link = str(video.get("url") or "").removeprefix(base_url)
            if watch.takes_link and not link.startswith("/"):
                return gettext("The finished video lacks its url, or has one that leads elsewhere.")
            fetched = link if watch.takes_link else f"{target}/content"
            return is_video_file(await ask(app, base_url, key, _get(fetched, watch.agent)))
        await clock.sleep(_wait_s(watch, answer))
        answer = await ask(app, base_url, key, _get(target, watch.agent))
    return reason


def _get(target: str, agent: str) -> ClientRequest:
    return ClientRequest(method="GET", target=target, agent=agent)


def _wait_s(watch: VideoWatch, answer: ServerAnswer) -> float:
    if watch.every_s is not None:
        return watch.every_s
    told = answer.headers.get("openai-poll-after-ms", "")
    wait_s = int(told) / 1000 if told.isdecimal() else 1.0
    return min(max(wait_s, _SHORTEST_WAIT_S), _LONGEST_WAIT_S)
