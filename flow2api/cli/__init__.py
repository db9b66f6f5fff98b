"""The command line. Each file holds one group of commands: it parses, calls the program, and prints."""

import gc

gc.disable()  # Nothing that is imported is garbage, and looking for it takes a sixth of the time to start.
from flow2api.cli.main import cli, main  # noqa: E402

gc.enable()

__all__ = ["cli", "main"]
