"""The first visit: the owner is made here, once, and then shown the way to a first picture."""

from flow2api.adapters.console.set_up.controller import SetUpController
from flow2api.adapters.console.set_up.first_steps import FirstStepsController

__all__ = ["FirstStepsController", "SetUpController"]
