"""Call names: which method and path is which call, and what plays it.

Paths: Flow, 2025-11 to 2026-06. The names are those of the request record, the counters and the faults.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from flow2api.simulator import (
    calls_account,
    calls_concatenation,
    calls_downloads,
    calls_labs,
    calls_pictures,
    calls_videos,
)
from flow2api.simulator.answer import Response
from flow2api.simulator.call import Call
from flow2api.simulator.gemini import routes as gemini
from flow2api.simulator.openai_host import routes as openai_host
from flow2api.simulator.world import World

Handler = Callable[[World, Call], Awaitable[Response]]
LABS, API = "/fx/api", "/v1"
PROJECTS, GENERATE = f"{API}/projects/", "/flowMedia:batchGenerateImages"
STORED = f"{API}/media/"
UNKNOWN = "unknown"


class Route(NamedTuple):
    """A call name, what plays it, what its path names, and the version of the Gemini API where it is one of that."""

    name: str
    handler: Handler
    target: str = ""
    version: str = ""


EXACT: dict[tuple[str, str], Route] = {
    ("GET", f"{LABS}/auth/session"): Route("exchange", calls_labs.exchange),
    ("POST", f"{LABS}/trpc/project.createProject"): Route("create_project", calls_labs.create_project),
    ("POST", f"{LABS}/trpc/project.deleteProject"): Route("delete_project", calls_labs.delete_project),
    ("GET", f"{LABS}/trpc/project.searchUserProjects"): Route("list_projects", calls_labs.list_projects),
    ("GET", f"{LABS}/trpc/flow.projectInitialData"): Route("project_data", calls_labs.project_data),
    ("POST", f"{LABS}/trpc/media.deleteMedia"): Route("delete_media", calls_labs.delete_media),
    ("GET", f"{LABS}/trpc/media.getMediaUrlRedirect"): Route("media_redirect", calls_labs.media_redirect),
    ("GET", f"{API}/credits"): Route("credits", calls_account.credits_left),
    ("POST", f"{API}:uploadUserImage"): Route("upload_image", calls_pictures.upload_legacy),
    ("POST", f"{API}/flow/uploadImage"): Route("upload_image", calls_pictures.upload),
    ("POST", f"{API}/flow/upsampleImage"): Route("upscale_image", calls_pictures.upscale),
    ("POST", f"{API}/video:batchAsyncGenerateVideoText"): Route("submit_text_video", calls_videos.submit),
    ("POST", f"{API}/video:batchAsyncGenerateVideoReferenceImages"): Route(
        "submit_reference_video", calls_videos.submit
    ),
    ("POST", f"{API}/video:batchAsyncGenerateVideoStartAndEndImage"): Route(
        "submit_start_end_video", calls_videos.submit
    ),
    ("POST", f"{API}/video:batchAsyncGenerateVideoStartImage"): Route("submit_start_video", calls_videos.submit),
    ("POST", f"{API}/video:batchAsyncGenerateVideoUpsampleVideo"): Route("submit_video_upscale", calls_videos.submit),
    ("POST", f"{API}/video:batchAsyncGenerateVideoExtendVideo"): Route("submit_video_extend", calls_videos.submit),
    ("POST", f"{API}/video:batchCheckAsyncVideoGenerationStatus"): Route("poll_videos", calls_videos.poll),
    ("POST", f"{API}:runVideoFxConcatenation"): Route("concatenate", calls_concatenation.concatenate),
    ("POST", f"{API}:runVideoFxCheckConcatenationStatus"): Route("poll_concatenation", calls_concatenation.poll),
    ("POST", f"{API}/flow:batchDeleteAssets"): Route("delete_assets", calls_account.delete_assets),
    ("POST", f"{API}/flowMedia:cancelGeneration"): Route("cancel_generation", calls_account.cancel_generation),
    ("POST", f"{API}:checkAppAvailability"): Route("app_availability", calls_account.app_availability),
    ("GET", f"{API}/flow/models/statuses"): Route("model_statuses", calls_account.model_statuses),
    ("GET", f"{API}/flow/appConfig"): Route("app_config", calls_account.app_config),
}
DOWNLOADS: dict[str, tuple[str, Handler]] = {
    "/ai-sandbox-videofx/image/": ("download_image", calls_downloads.download_picture),
    "/ai-sandbox-videofx/video/": ("download_video", calls_downloads.download_video),
    "/flow-content/image/": ("download_image", calls_downloads.download_picture),
    "/flow-content/video/": ("download_video", calls_downloads.download_video),
}
NAMES = frozenset(
    {route.name for route in EXACT.values()}
    | {name for name, _ in DOWNLOADS.values()}
    | gemini.NAMES
    | openai_host.NAMES
    | {"generate_images", "get_media", UNKNOWN}
)
"""Every call name."""


def find_route(method: str, path: str) -> Route | None:
    """The call of a method and path."""
    if (route := EXACT.get((method, path))) is not None:
        return route
    if (played := gemini.find_route(method, path)) is not None:
        return Route(*played)
    if (at_host := openai_host.find_route(method, path)) is not None:
        return Route(*at_host)
    if method == "POST" and path.startswith(PROJECTS) and path.endswith(GENERATE):
        return Route("generate_images", calls_pictures.generate, path[len(PROJECTS) : -len(GENERATE)])
    if method in {"GET", "HEAD"}:
        if path.startswith(STORED):
            return Route("get_media", calls_account.stored_media, path[len(STORED) :])
        for prefix, (name, handler) in DOWNLOADS.items():
            if path.startswith(prefix):
                return Route(name, handler, path[len(prefix) :])
    return None
