"""Call names: which method and path under ``/openai/v1`` is which call, and what plays it."""

import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from flow2api.simulator.answer import Response
from flow2api.simulator.call import Call
from flow2api.simulator.openai_host import models, pictures, videos
from flow2api.simulator.world import World

BASE = "/openai/v1"
PREFIX = "openai_"
"""What the names of all these calls begin with."""

Handler = Callable[[World, Call], Awaitable[Response]]


class HostRoute(NamedTuple):
    """A call name, what plays it, and what its path names."""

    name: str
    handler: Handler
    target: str


_ROUTES: tuple[tuple[str, re.Pattern[str], str, Handler], ...] = tuple(
    (method, re.compile(path), PREFIX + name, handler)
    for method, path, name, handler in (
        ("GET", "/models", "models", models.list_models),
        ("GET", "/models/(?P<target>[^/]+)", "model", models.get_model),
        ("POST", "/images/generations", "generate", pictures.generate),
        ("POST", "/images/edits", "edit", pictures.edit),
        ("POST", "/videos", "submit", videos.create),
        ("POST", "/videos/extensions", "extend", videos.extend),
        ("POST", "/videos/(?P<target>[^/]+)/remix", "remix", videos.remix),
        ("GET", "/videos/(?P<target>[^/]+)", "video", videos.look),
        ("GET", "/videos/(?P<target>[^/]+)/content", "content", videos.content),
    )
)
NAMES = frozenset(name for _, _, name, _ in _ROUTES)
"""Every call name."""


def find_route(method: str, path: str) -> HostRoute | None:
    """The call of a method and path; None when there is none."""
    if not path.startswith(BASE + "/"):
        return None
    for wanted, pattern, name, handler in _ROUTES:
        found = pattern.fullmatch(path[len(BASE) :]) if wanted == method else None
        if found is not None:
            return HostRoute(name, handler, found.groupdict().get("target") or "")
    return None
