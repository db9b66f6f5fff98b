"""The composition root: from settings and plugins to a running program."""

from flow2api.app.composition import Services, build_services
from flow2api.app.lifespan import running
from flow2api.app.web import create_app

__all__ = ["Services", "build_services", "create_app", "running"]
