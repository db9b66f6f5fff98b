"""``python -m flow2api.simulator``."""

import argparse
import sys
from pathlib import Path
from typing import TypeVar

import msgspec

from flow2api.simulator.control_schema import AccountKnobs, SimOptions
from flow2api.simulator.server import ServerSettings, SimulatorStartError, serve
from flow2api.simulator.world import World

T = TypeVar("T")


def parse(arguments: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        prog="flow2api.simulator",
        description="Plays Google Flow's labs protocol, Google's Gemini API under /gemini, and an OpenAI-compatible host under "
        "/openai/v1.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=8899, help="0 takes a free one")
    parser.add_argument("--era", choices=("seed", "2026-06"), help="the wire era of the answers")
    parser.add_argument("--accounts", type=Path, metavar="FILE", help="JSON list of account knobs to start with")
    parser.add_argument("--demo-accounts", type=int, default=0, metavar="N", help="start with N ready accounts")
    parser.add_argument("--options", type=Path, metavar="FILE", help="JSON object of options to start with")
    parser.add_argument("--ready-file", type=Path, metavar="FILE", help="written as JSON once it serves")
    parser.add_argument("--with-parent", action="store_true", help="end when the parent process dies")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Serves until it is told to end; returns the exit code."""
    wanted = parse(sys.argv[1:] if arguments is None else arguments)
    try:
        options = read(wanted.options, SimOptions) if wanted.options else SimOptions()
        accounts = read(wanted.accounts, list[AccountKnobs]) if wanted.accounts else []
        if wanted.era:
            options.era = wanted.era
        accounts += [AccountKnobs() for _ in range(wanted.demo_accounts)]
        settings = ServerSettings(wanted.host, wanted.port, wanted.ready_file, wanted.with_parent)
        serve(World(first_options=options), settings, accounts)
    except (SimulatorStartError, OSError, msgspec.DecodeError, ValueError) as error:
        sys.stderr.write(f"flow2api.simulator: {error}\n")
        return 2
    return 0


def read(path: Path, kind: type[T]) -> T:
    """A JSON file as a type."""
    return msgspec.json.decode(path.read_bytes(), type=kind)


if __name__ == "__main__":
    sys.exit(main())
