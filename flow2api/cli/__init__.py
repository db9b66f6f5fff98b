"""The command line. Each file holds one group of commands: it parses, calls the program, and prints."""

from flow2api.adapters.system.process import building_up

with building_up():
    from flow2api.cli.main import cli, main

__all__ = ["cli", "main"]
