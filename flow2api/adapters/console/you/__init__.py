"""The pages of who is signed in: passphrase, second factor, sessions, how the console is to be."""

from flow2api.adapters.console.you.controller import YouController
from flow2api.adapters.console.you.second_factor import SecondFactorController

__all__ = ["SecondFactorController", "YouController"]
