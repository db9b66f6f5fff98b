"""``flow2api proxies``."""

import sys
from collections.abc import Sequence

import click

from flow2api.adapters.system import SystemClock
from flow2api.cli.context import Installation, json_option, with_installation
from flow2api.cli.failures import EXIT_FAILED, Failure
from flow2api.cli.inputs import STDIN, read_bytes
from flow2api.cli.output import print_json, print_table
from flow2api.cli.proxy_changes import disable, enable, remove, update
from flow2api.cli.proxy_desk import ProxyDesk, at_proxy_desk
from flow2api.cli.whoever import whoever
from flow2api.documents.proxies import ProxyCheck, RefusedProxy, check_view, proxy_view
from flow2api.domain.proxy import DIRECT, GLOBAL, Proxy
from flow2api.domain.quantity import counted
from flow2api.domain.usecases.check_proxies import Checked, CheckProxies
from flow2api.domain.usecases.manage_accounts import ManageAccounts
from flow2api.domain.usecases.manage_proxies import ManageProxies

_LARGEST_FILE = 4 * 1024 * 1024


@click.group()
def proxies() -> None:
    """The proxies that calls to the upstream leave by."""


@proxies.command("list")
@json_option
@with_installation
def list_proxies(here: Installation, as_json: bool) -> None:
    """Show the proxies, without their credentials. JSON: {"proxies": [...]}."""
    shown = [proxy_view(one) for one in at_proxy_desk(here, lambda desk: desk.manage.all())]
    if as_json:
        print_json({"proxies": shown})
        return
    print_table(
        ("NAME", "POOL", "ADDRESS", "STATE", "CHECKED", "MS", "LEAVES AS", "WHAT WENT WRONG"),
        [
            (
                one.name,
                one.pool,
                one.address,
                one.state if one.is_enabled else "disabled",
                one.checked_at,
                one.latency_ms,
                one.egress,
                one.fault,
            )
            for one in shown
        ],
        empty="There are no proxies; `flow2api proxies add` takes them in.",
    )


@proxies.command()
@click.argument("url", required=False)
@click.option("--file", metavar="FILE", help="One URL a line, - for standard input; the way to give credentials.")
@click.option("--name", help="What to call it.  [default: its host]")
@click.option("--pool", help="The pool that it belongs to.")
@json_option
@with_installation
def add(
    here: Installation, url: str | None, file: str | None, name: str | None, pool: str | None, as_json: bool
) -> None:
    """Take in one proxy, or those of a file: scheme://user:password@host:port, by http, https, socks5 or socks5h.

    With socks5h the proxy resolves the names of hosts. A bad line is told by its number and does not stop the others.

    JSON: {"added": [...], "refused": [{"line": 3, "reason": "..."}]}.
    """
    lines = _lines_of(url, file)
    if name is not None and len(lines) > 1:
        raise Failure("One name cannot stand for several proxies; leave --name out, and each is called after its host.")
    added, refused = at_proxy_desk(here, lambda desk: _add(desk.manage, lines, name, pool))
    if as_json:
        print_json({"added": [proxy_view(one) for one in added], "refused": refused})
    else:
        for one in added:
            click.echo(f"Added {one.name!r} ({one.address}{f', in the pool {one.pool!r}' if one.pool else ''}).")
        for wrong in refused:
            click.echo(f"line {wrong.line}: {wrong.reason}" if file else f"flow2api: {wrong.reason}", err=True)
    if refused:
        sys.exit(EXIT_FAILED)


@proxies.command()
@click.argument("names", nargs=-1)
@click.option("--url", "target", help="What to fetch.  [default: the option proxy_check_url]")
@json_option
@with_installation
def test(here: Installation, names: tuple[str, ...], target: str | None, as_json: bool) -> None:
    """Try out proxies or whole pools, all of them when none is named, and note how they stand.

    With a --url that tells callers their address, such as https://api.ipify.org, that is shown, too. The exit code is 1
    when one of them lets nothing through.

    JSON: {"ok": true, "checks": [{"name": "...", "ok": true, "status": 204, "latency_ms": 31, ...}]}.
    """
    checked = [check_view(one) for one in at_proxy_desk(here, lambda desk: _test(desk, names, target))]
    is_ok = all(one.ok for one in checked)
    if as_json:
        print_json({"ok": is_ok, "checks": checked})
    else:
        print_table(
            ("NAME", "ADDRESS", "OK", "STATUS", "MS", "LEAVES AS", "WHAT WENT WRONG"),
            [_row_of(one) for one in checked],
            empty="There are no proxies; `flow2api proxies add` takes them in.",
        )
    if not is_ok:
        sys.exit(EXIT_FAILED)


@proxies.command()
@click.argument("name")
@click.argument("accounts", nargs=-1)
@click.option("--tag", help="Every account with this tag.")
@click.option("--all", "is_all", is_flag=True, help="Every account.")
@json_option
@with_installation
def assign(
    here: Installation, name: str, accounts: tuple[str, ...], tag: str | None, is_all: bool, as_json: bool
) -> None:
    """Let accounts, by id, address or name, use the proxy or the pool NAME.

    `direct` lets them use none, and `global` what the option `proxy` says.

    JSON: {"proxy": "...", "changed": [1, 2]}.
    """
    if not accounts and tag is None and not is_all:
        raise Failure("Which accounts? Name them, or say --tag TAG or --all.")
    changed = at_proxy_desk(here, lambda desk: _assign(desk, name, accounts, tag, is_all=is_all))
    if as_json:
        print_json({"proxy": name, "changed": changed})
    else:
        verb = ("goes", "uses") if len(changed) == 1 else ("go", "use")
        means = {DIRECT: f"{verb[0]} direct", GLOBAL: f"{verb[1]} what the option `proxy` says"}
        click.echo(f"{counted(len(changed), 'account')} now {means.get(name, f'{verb[1]} {name!r}')}.")


for command in (update, enable, disable, remove):
    proxies.add_command(command)


async def _add(
    manage: ManageProxies, lines: Sequence[tuple[int, str]], name: str | None, pool: str | None
) -> tuple[list[Proxy], list[RefusedProxy]]:
    added: list[Proxy] = []
    refused: list[RefusedProxy] = []
    numbers = iter(lines)
    async for outcome in manage.add_each([line for _, line in lines], whoever(), name=name, pool=pool):
        number, _ = next(numbers)
        if isinstance(outcome, Proxy):
            added.append(outcome)
        else:
            refused.append(RefusedProxy(number, outcome.message))
    return added, refused


async def _test(desk: ProxyDesk, names: Sequence[str], target: str | None) -> list[Checked]:
    from flow2api.adapters.probe import CurlProxyProbe  # noqa: PLC0415 - libcurl is for those who call somebody

    check = CheckProxies(
        CurlProxyProbe(), desk.storage.proxies, desk.storage.audit_log, SystemClock(), lambda: desk.options
    )
    return await check.check_and_keep(await desk.manage.find(names), whoever(), target=target)


async def _assign(desk: ProxyDesk, name: str, accounts: Sequence[str], tag: str | None, *, is_all: bool) -> list[int]:
    manage = ManageAccounts(desk.storage.accounts, desk.storage.vault, SystemClock())
    chosen = {one.id: one for one in [await manage.find(which) for which in accounts]}
    if is_all or tag is not None:
        chosen |= {one.id: one for one in await manage.all() if is_all or tag in one.tags}
    return [one.id for one in await desk.manage.assign(list(chosen.values()), name, whoever())]


def _lines_of(url: str | None, file: str | None) -> list[tuple[int, str]]:
    """The URLs with the numbers of their lines."""
    if (url is None) == (file is None):
        raise Failure("Give either one URL, or --file FILE (- reads standard input).")
    if url == STDIN:
        url, file = None, STDIN
    if url is not None:
        if "@" in url:
            raise Failure(
                "Other users of this machine can read command lines: give a URL with credentials by --file FILE "
                "(- reads standard input)."
            )
        return [(1, url)]
    text = read_bytes(file or STDIN, _LARGEST_FILE, "The file").decode(errors="replace")
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    return [(number, line) for number, line in lines if line and not line.startswith("#")]


def _row_of(one: ProxyCheck) -> tuple[object, ...]:
    return (one.name, one.address, one.ok, one.status, one.latency_ms, one.egress, one.fault)
