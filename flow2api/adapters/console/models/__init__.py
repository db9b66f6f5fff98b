"""The pages about models: what is offered, who could make it now, and where names lead."""

from flow2api.adapters.console.models.controller import ModelsController
from flow2api.adapters.console.models.routes_controller import ModelRoutesController

__all__ = ["ModelRoutesController", "ModelsController"]
