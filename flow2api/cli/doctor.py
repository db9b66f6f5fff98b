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
from flow2api.app.diagnosing import checks_of_loading, examined
from flow2api.cli.context import Installation, config_option, configure_quiet_logs, installation, json_option
from flow2api.cli.failures import EXIT_FAILED
from flow2api.cli.output import print_json
from flow2api.cli.tables import printable
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.usecases.diagnose import Check, CheckState, Diagnose, Diagnosis, Finding, is_fine
from flow2api.extensions import Extensions
from flow2api.hookspecs import DoctorCheck, Examined, ExaminedOptions


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
@click.option(
    "--online",
    is_flag=True,
    help="Also ask whether the hosts of the upstreams answer, and try API keys of accounts by calls that cost nothing.",
)
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
    """Our own frame, with the checks of the plugins in it: those first that need nothing."""
    opened = _Opened(here)
    chosen = [one for one in here.extensions.doctor_checks.values() if online or not one.is_online]
    yield from checks_of_loading(here.extensions)
    for one in chosen:
        if one.needs is None and not one.is_online:
            yield _check(one, opened)
    yield Check("backends", partial(_build, here.extensions, opened, stack))
    yield Check("database", partial(_open, opened, stack), needs="backends")
    for one in chosen:
        if one.needs is not None or one.is_online:
            yield _check(one, opened)


class _Opened:
    """The installation as checks see it; its backends are made when the first one asks."""

    def __init__(self, here: Installation) -> None:
        self._here = here
        self._clock = SystemClock()
        self._backends: Backends | None = None

    def backends(self) -> Backends:
        if self._backends is None:
            here = self._here
            self._backends = build_backends(here.settings, here.extensions, build_vault(here.settings), self._clock)
        return self._backends

    def examined(self, section: str) -> Examined:
        return examined(self._here.settings, section, clock=self._clock, backends=self.backends, options=self._options)

    async def _options(self) -> ExaminedOptions:
        options = build_options(self._here.settings, self._here.extensions, self.backends(), self._clock)
        await options.reload()
        return ExaminedOptions(options=options(), ignored=options.ignored)


def _check(one: DoctorCheck, opened: _Opened) -> Check:
    async def look() -> Finding | None:
        return await one.look(opened.examined(one.section))

    return Check(one.name, look, needs=one.needs)


async def _build(extensions: Extensions, opened: _Opened, stack: AsyncExitStack) -> Finding | None:
    """Nothing to say unless something cannot be made."""
    backends = opened.backends()
    stack.push_async_callback(backends.store.aclose)
    stack.push_async_callback(backends.coordination.aclose)
    for upstream in backends.upstreams.values():
        stack.push_async_callback(upstream.aclose)
    missing = sorted(extensions.upstreams.keys() - backends.upstreams.keys())
    if not missing:
        return None
    return Finding(
        CheckState.WARN, f"Upstreams cannot be made and were left out: {', '.join(missing)}.", "The log says why."
    )


async def _open(opened: _Opened, stack: AsyncExitStack) -> Finding:
    """Opens the database for the checks that come after, until the stack unwinds."""
    storage = opened.backends().storage
    await storage.open()
    stack.push_async_callback(storage.aclose)
    return Finding(CheckState.OK, "The database opens, and the secret key is the right one.")


def _check_out(diagnosis: Diagnosis) -> CheckOut:
    finding = diagnosis.finding
    return CheckOut(
        name=diagnosis.name, state=finding.state.value, sentence=finding.sentence, cure=finding.cure or None
    )


def _print(check: CheckOut) -> None:
    click.echo(f"{check.state:4}  {check.name:18}  {printable(check.sentence)}")
    if check.cure:
        click.echo(f"{'':4}  {'':18}  -> {printable(check.cure)}")
