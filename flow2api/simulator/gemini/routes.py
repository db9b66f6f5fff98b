"""Call names: which method and path under ``/gemini`` is which call, and what plays it."""

import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from flow2api.simulator.answer import Response
from flow2api.simulator.call import Call
from flow2api.simulator.gemini import files, interactions, listing, pictures, videos
from flow2api.simulator.world import World

BASE = "/gemini"
Handler = Callable[[World, Call], Awaitable[Response]]


class GeminiRoute(NamedTuple):
    """A call name, what plays it, what its path names, and the version of the API."""

    name: str
    handler: Handler
    target: str
    version: str


_VERSION = r"/(?P<version>v1|v1beta)"
_ROUTES: tuple[tuple[str, re.Pattern[str], str, Handler], ...] = tuple(
    (method, re.compile(_VERSION + path), name, handler)
    for method, path, name, handler in (
        ("GET", "/models", "gemini_models", listing.list_models),
        ("GET", "/models/(?P<target>[^/:]+)", "gemini_model", listing.get_model),
        ("POST", "/models/(?P<target>[^/:]+):generateContent", "gemini_generate", pictures.generate_content),
        ("POST", "/models/(?P<target>[^/:]+):predict", "gemini_predict", pictures.predict),
        ("POST", "/models/(?P<target>[^/:]+):predictLongRunning", "gemini_submit", videos.predict_long_running),
        ("GET", "/(?P<target>models/[^/:]+/operations/[^/:]+)", "gemini_operation", videos.operation),
        ("POST", "/interactions", "gemini_interact", interactions.create),
        ("GET", "/interactions/(?P<target>[^/:]+)", "gemini_interaction", interactions.look),
        ("GET", "/files/(?P<target>[a-z0-9]+):download", "gemini_download", files.download),
        ("GET", "/media/(?P<target>[a-z0-9]+)", "gemini_media", files.media),
    )
)
NAMES = frozenset(name for _, _, name, _ in _ROUTES)
"""Every call name."""

INTERACTION_CALLS = frozenset({"gemini_interact", "gemini_interaction"})
"""Calls whose refusals have a word for a code."""


def find_route(method: str, path: str) -> GeminiRoute | None:
    """The call of a method and path; None when there is none."""
    if not path.startswith(BASE + "/"):
        return None
    for wanted, pattern, name, handler in _ROUTES:
        found = pattern.fullmatch(path[len(BASE) :]) if wanted == method else None
        if found is not None:
            return GeminiRoute(name, handler, found.groupdict().get("target") or "", found["version"])
    return None
