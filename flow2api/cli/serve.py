"""``flow2api serve``."""

import click

from flow2api.adapters.system.process import building_up
from flow2api.cli.context import installation


@click.command()
@click.option("--host", help="The address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="The port to listen on; 0 takes a free one.  [default: 8000]"
)
@click.option("--config", type=click.Path(dir_okay=False), help="The settings file.  [default: flow2api.toml]")
def serve(host: str | None, port: int | None, config: str | None) -> None:
    """Serve the gateway until it is told to stop (SIGTERM or Ctrl-C)."""
    with building_up():
        from flow2api.cli.serving import run_server  # noqa: PLC0415 - only a server needs the web framework

    run_server(installation({"host": host, "port": port}, config=config))
