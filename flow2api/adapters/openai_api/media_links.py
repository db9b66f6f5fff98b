"""``/media``: signed links. The signature is the permission; no key is asked for."""

from litestar import route
from litestar.handlers import HTTPRouteHandler

from flow2api.adapters.openai_api.answers import Answer
from flow2api.adapters.openai_api.body import HttpRequest
from flow2api.adapters.openai_api.doors import Doors
from flow2api.adapters.openai_api.media_answers import MediaBytes

_PATHS = ["/media/{media_id:str}", "/tmp/{media_id:str}"]  # noqa: S108 - addresses, not files


def media_routes(doors: Doors) -> list[HTTPRouteHandler]:
    """The handler of ``/media``, and of ``/tmp``, where former servers had the same."""

    @route(_PATHS, http_method=["GET", "HEAD"], status_code=200)
    async def open_link(request: HttpRequest) -> Answer:
        query = request.scope["query_string"].decode("latin-1")
        opened = await doors.media.of_link(request.path_params["media_id"], query)
        return MediaBytes(opened, doors.limits.stall_s)

    return [open_link]
