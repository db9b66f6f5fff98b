"""``flow2api proxies update``, ``enable``, ``disable`` and ``remove``."""

import click

from flow2api.cli.context import Installation, json_option, with_installation
from flow2api.cli.inputs import confirm, read_secret
from flow2api.cli.output import print_json
from flow2api.cli.proxy_desk import ProxyDesk, at_proxy_desk
from flow2api.cli.whoever import whoever
from flow2api.documents.proxies import proxy_view
from flow2api.domain.proxy import Proxy


@click.command()
@click.argument("name")
@click.option("--url-file", metavar="FILE", help="The file that holds its new URL; - reads standard input.")
@click.option("--pool", help="The pool that it belongs to from now on; an empty one takes it out of its pool.")
@click.option("--force", is_flag=True, help="Even if it leaves a pool empty that accounts or options need.")
@json_option
@with_installation
def update(here: Installation, name: str, url_file: str | None, pool: str | None, force: bool, as_json: bool) -> None:
    """Change where a proxy is, its credentials, or its pool; accounts that use it stay with it. JSON: the proxy.

    With a new URL nothing is known of its health: a running server checks it at once.
    """
    if url_file is None and pool is None:
        raise click.UsageError("Say what is to be changed.")
    url = None if url_file is None else read_secret(url_file, "The URL file")

    async def carry_out(desk: ProxyDesk) -> Proxy:
        proxy = await desk.named(name)
        return await desk.manage.change(proxy, whoever(), desk.options, url=url, pool=pool, is_forced=force)

    _tell(at_proxy_desk(here, carry_out), "Changed", as_json=as_json)


@click.command()
@click.argument("name")
@json_option
@with_installation
def enable(here: Installation, name: str, as_json: bool) -> None:
    """Let a proxy be used again. JSON: the proxy."""
    _switch(here, name, enabled=True, as_json=as_json)


@click.command()
@click.argument("name")
@json_option
@with_installation
def disable(here: Installation, name: str, as_json: bool) -> None:
    """Let a proxy not be used until you enable it; accounts of its pool move to the others. JSON: the proxy."""
    _switch(here, name, enabled=False, as_json=as_json)


@click.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Even if accounts or options need it; they reach nothing then.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@json_option
@with_installation
def remove(here: Installation, name: str, force: bool, yes: bool, as_json: bool) -> None:
    """Forget a proxy and its credentials. JSON: the proxy as it was."""
    proxy = at_proxy_desk(here, lambda desk: desk.named(name))
    confirm(f"Remove the proxy {proxy.name!r} ({proxy.address})?", is_sure=yes)
    at_proxy_desk(here, lambda desk: desk.manage.remove(proxy, whoever(), desk.options, is_forced=force))
    _tell(proxy, "Removed", as_json=as_json)


def _switch(here: Installation, name: str, *, enabled: bool, as_json: bool) -> None:
    async def carry_out(desk: ProxyDesk) -> Proxy:
        return await desk.manage.set_enabled(await desk.named(name), whoever(), enabled=enabled)

    _tell(at_proxy_desk(here, carry_out), "Enabled" if enabled else "Disabled", as_json=as_json)


def _tell(proxy: Proxy, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json(proxy_view(proxy))
    else:
        click.echo(f"{done} {proxy.name!r} ({proxy.address}).")
