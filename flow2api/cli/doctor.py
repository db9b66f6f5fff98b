"""``flow2api doctor``."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from functools import partial

import click
import msgspec

from flow2api.adapters.system import SystemClock
from flow2api.app.backends import Backends, build_backends, build_vault
from flow2api.app.current_options import build_options
from flow2api.cli.checks import online_checks, options_check, proxies_check, surroundings
from flow2api.cli.context import Installation, config_option, configure_quiet_logs, installation, json_option
from flow2api.cli.failures import EXIT_FAILED
from flow2api.cli.output import print_json
from flow2api.cli.tables import printable
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.usecases.diagnose import (
    Check,
    CheckState,
    Diagnose,
    Diagnosis,
    Finding,
    is_fine,
    look_at_accounts,
    look_at_clock,
    look_at_keys,
    look_at_media,
    look_at_schema,
    look_at_storage,
)


class CheckOut(msgspec.Struct, frozen=True, kw_only=True):
    """A check as JSON.

    Attributes:
        state: ``ok``, ``warn`` or ``fail``.
        sentence: What was found.
        cure: What to do; null when there is nothing to do.
    """

    name: str
    state: str
    sentence: str
    cure: str | None


@click.command()
@click.option("--online", is_flag=True, help="Also ask whether the hosts of the upstream answer; no account is used.")
@json_option
@config_option
def doctor(online: bool, as_json: bool, config: str | None) -> None:
    """Look at settings, folders, database, media, clock and addresses, and say what to do. Nobody outside is called.

    The exit code is 1 if a check failed; warnings are no failure. It can be run beside a server.

    JSON: {"ok": true, "checks": [{"name": "clock", "state": "ok", "sentence": "...", "cure": null}]}.
    """
    os.umask(0o077)
    diagnoses = asyncio.run(_collect(config, online=online, is_shown=not as_json))
    is_ok = is_fine(diagnoses)
    if as_json:
        print_json({"ok": is_ok, "checks": [_check_out(one) for one in diagnoses]})
    if not is_ok:
        sys.exit(EXIT_FAILED)


async def _collect(config: str | None, *, online: bool, is_shown: bool) -> list[Diagnosis]:
    diagnoses = []
    async for diagnosis in _diagnose(config, online=online):
        diagnoses.append(diagnosis)
        if is_shown:
            _print(_check_out(diagnosis))
    return diagnoses


async def _diagnose(config: str | None, *, online: bool) -> AsyncIterator[Diagnosis]:
    try:
        here = installation(config=config)
    except ConfigurationError as error:
        yield Diagnosis("settings", Finding(CheckState.FAIL, error.message, "Correct the setting."))
        return
    configure_quiet_logs(here.settings)
    yield Diagnosis("settings", Finding(CheckState.OK, "The settings can be used."))
    async with AsyncExitStack() as stack:
        async for diagnosis in Diagnose(_checks(here, stack, online=online))():
            yield diagnosis


def _checks(here: Installation, stack: AsyncExitStack, *, online: bool) -> Iterator[Check]:
    yield from surroundings(here.settings, here.extensions)
    clock = SystemClock()
    yield look_at_clock(clock)
    try:
        backends = build_backends(here.settings, here.extensions, build_vault(here.settings), clock)
    except ConfigurationError as error:
        yield _failing("backends", error)
        return
    yield _opening(backends, stack)
    yield look_at_schema(backends.storage)
    yield look_at_storage(backends.storage)
    build = partial(build_options, here.settings, here.extensions, backends, clock)
    yield options_check(build)
    yield proxies_check(backends.storage, build)
    yield look_at_accounts(backends.storage, clock)
    yield look_at_keys(backends.storage)
    yield look_at_media(backends.store)
    yield _models(backends)
    if online:
        yield from online_checks(here.settings)


def _opening(backends: Backends, stack: AsyncExitStack) -> Check:
    """Opens the database for the checks that come after, until the stack unwinds."""
    stack.push_async_callback(backends.store.aclose)
    for upstream in backends.upstreams.values():
        stack.push_async_callback(upstream.aclose)

    async def look() -> Finding:
        await backends.storage.open()
        stack.push_async_callback(backends.storage.aclose)
        return Finding(CheckState.OK, "The database opens, and the secret key is the right one.")

    return Check("database", look)


def _models(backends: Backends) -> Check:
    async def look() -> Finding:
        listed = len(backends.catalog.listed())
        if not listed:
            return Finding(CheckState.WARN, "No model can be asked for.", "`flow2api plugins` shows what is loaded.")
        return Finding(CheckState.OK, f"{listed} models can be asked for.")

    return Check("models", look)


def _failing(name: str, error: ConfigurationError) -> Check:
    async def look() -> Finding:
        raise error

    return Check(name, look)


def _check_out(diagnosis: Diagnosis) -> CheckOut:
    finding = diagnosis.finding
    return CheckOut(
        name=diagnosis.name, state=finding.state.value, sentence=finding.sentence, cure=finding.cure or None
    )


def _print(check: CheckOut) -> None:
    click.echo(f"{check.state:4}  {check.name:18}  {printable(check.sentence)}")
    if check.cure:
        click.echo(f"{'':4}  {'':18}  -> {printable(check.cure)}")
