"""The composition root: from settings and plugins to a running program.

Each part is loaded when it is first asked for: a command that looks into the database needs no web framework, whose
import takes longer than all the rest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flow2api.app.composition import Services, build_services
    from flow2api.app.lifespan import running
    from flow2api.app.web import create_app

__all__ = ["Services", "build_services", "create_app", "running"]

_PLACES = {"Services": "composition", "build_services": "composition", "running": "lifespan", "create_app": "web"}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
