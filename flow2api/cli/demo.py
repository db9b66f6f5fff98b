"""``flow2api demo``: the whole gateway on the simulated upstream, in a folder that goes when it ends."""

import asyncio
import json
import logging
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from flow2api.adapters.system.process import building_up
from flow2api.cli.context import Installation, installation
from flow2api.cli.inputs import named_values
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.manage_accounts import ManageAccounts, NewAccount
from flow2api.domain.usecases.manage_keys import ManageKeys

if TYPE_CHECKING:
    from flow2api.app import Services

_SIMULATOR_STARTS_WITHIN_S = 30.0
_FLOW_ACCOUNTS = 2
_ACCOUNTS = _FLOW_ACCOUNTS + 2
"""One more for each upstream whose accounts are keys."""

_ROUTE = {"picture": ["gemini-3.0-pro-image", "google-gemini-3.1-flash-image", "openai-gpt-image-1.5"]}
"""A name that falls over from one upstream to the next when it is out of capacity."""

_WARM_WITHIN_S = 15.0
_OPERATOR = "owner"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.option(
    "--ready-file", type=click.Path(dir_okay=False), help="Where to write address and key as JSON when ready."
)
@click.option(
    "--plugin", "plugins", multiple=True, metavar="NAME", help="A plugin to enable; may be given several times."
)
@click.option("--plugins-dir", type=click.Path(file_okay=False), help="The folder of plugins that are single files.")
@click.option(
    "--option", "options", multiple=True, metavar="NAME=VALUE", help="An option to set; may be given several times."
)
def demo(
    host: str,
    port: int,
    ready_file: str | None,
    plugins: tuple[str, ...],
    plugins_dir: str | None,
    options: tuple[str, ...],
) -> None:
    """Serve everything on simulated upstreams, with an account or two at each and a key. It needs no account and keeps nothing.

    The environment of a real server does not reach it. A plugin is tried by its name: flow2api demo --plugin thrifty --option
    policy=thrifty.
    """
    chosen = {"plugins": plugins, "plugins_dir": "" if plugins_dir is None else str(Path(plugins_dir).absolute())}
    more_options = named_values(options)
    with building_up():
        from flow2api.cli.serving import run_server  # noqa: PLC0415 - only a server needs the web framework

    with tempfile.TemporaryDirectory(prefix="flow2api-demo-") as folder, _simulator(Path(folder)) as simulator:
        here = _demo_installation(Path(folder), simulator, (host, port), chosen, more_options)

        async def on_ready(services: "Services", actual_port: int) -> None:
            key = await _prepare(services, simulator)
            passphrase = await _operator(services)
            base = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{actual_port}"  # noqa: S104
            _announce(base, key, passphrase)
            if ready_file:
                _write_ready_file(Path(ready_file), base, key, passphrase, simulator["base_url"])

        # The demo's secret key goes with its folder: there is nothing to keep a copy of.
        logging.getLogger("flow2api.adapters.vault.keys").setLevel(logging.ERROR)
        run_server(here, on_ready)


def _demo_installation(
    folder: Path,
    simulator: dict[str, Any],
    address: tuple[str, int],
    chosen: Mapping[str, Any],
    options: Mapping[str, str],
) -> Installation:
    """Settings of the demo's own: what stands in the environment for a real server must not reach it."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("FLOW2API_LOG_")}
    overrides = {
        "data_dir": str(folder / "data"),
        "host": address[0],
        "port": address[1],
        "drain_s": 5,
        "linger_s": 0,
        "flow": {"labs_base_url": simulator["labs_base_url"], "api_base_url": simulator["api_base_url"]},
        "gemini": {"base_url": simulator["gemini_base_url"]},
        # The upstream is our own, and may be asked more often than one that counts calls.
        "options": {"model_routes": _ROUTE, "poll_interval_s": 0.5, **options},
        **chosen,
    }
    kept.setdefault("FLOW2API_LOG_LEVEL", "warning")
    return installation(overrides, config=os.devnull, environment=kept)


def _accounts(simulator: dict[str, Any]) -> Iterator[NewAccount]:
    """Two at Flow, and one at each upstream whose accounts are keys."""
    *sessions, google, host = simulator["accounts"][:_ACCOUNTS]
    for number, one in enumerate(sessions, 1):
        yield NewAccount(session_token=Secret(one["session_token"]), name=f"demo {number}", email=one.get("email"))
    yield NewAccount(session_token=Secret(google["api_key"]), upstream="gemini", name="demo Google")
    yield NewAccount(
        session_token=Secret(host["api_key"]),
        upstream="openai",
        base_url=simulator["openai_base_url"],
        name="demo host",
    )


async def _prepare(services: "Services", simulator: dict[str, Any]) -> Secret:
    """The accounts, warmed, and a key."""
    vault = services.vault
    manage = ManageAccounts(services.storage.accounts, services.storage.vault, services.clock, services.kinds)
    for account in _accounts(simulator):
        services.pool.put(await manage.add(account))
    async with asyncio.timeout(_WARM_WITHIN_S):
        await asyncio.gather(*(services.tending.warm.warm(account.id) for account in services.pool))
    _, key = await ManageKeys(services.storage.api_keys, vault.cipher, services.clock).create("demo")
    await services.authorize.load()
    return key


async def _operator(services: "Services") -> Secret:
    """The owner of the demo, whose passphrase is made by chance each time."""
    passphrase, now = Secret(secrets.token_urlsafe(12)), services.clock.now()
    entry = AuditEntry(
        at=now, actor=Actor(name="demo", door="cli"), action=AuditAction.OPERATOR_CREATED, details={"name": _OPERATOR}
    )
    await services.entrance.operators.create_first(_OPERATOR, passphrase, entry)
    return passphrase


def _announce(base: str, key: Secret, passphrase: Secret) -> None:
    text = key.reveal()
    click.echo(
        f"""
flow2api demo: everything here is simulated, nothing is sent anywhere, and it is gone when you stop it (Ctrl-C).

  Base URL    {base}/v1
  API key     {text}

  Console     {base}/console
  Name        {_OPERATOR}
  Passphrase  {passphrase.reveal()}

Models of three upstreams are served side by side: Flow's, Google's (google-...) and those of a host that speaks OpenAI's API
(openai-...). The model "picture" is made by the first of them that has capacity.

For the examples of the README, in another terminal:

export API_KEY={text}

Your first picture:

curl -s {base}/v1/images/generations -H "Authorization: Bearer {text}" -H "Content-Type: application/json" \\
  -d '{{"model": "gpt-image-1", "prompt": "a red mug on a wooden table"}}' \\
  | python3 -c "import base64, json, sys; open('mug.jpg', 'wb').write(base64.b64decode(json.load(sys.stdin)['data'][0]['b64_json']))"
"""
    )


def _write_ready_file(path: Path, base: str, key: Secret, passphrase: Secret, simulator_url: str) -> None:
    ready = {
        "base_url": f"{base}/v1",
        "api_key": key.reveal(),
        "console_url": f"{base}/console",
        "operator": _OPERATOR,
        "password": passphrase.reveal(),
        "simulator_url": simulator_url,
    }
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(ready) + "\n", encoding="utf-8")
    draft.replace(path)


@contextmanager
def _simulator(folder: Path) -> Iterator[dict[str, Any]]:
    """The simulated upstream as a process of its own, which ends with this one."""
    ready_file = folder / "simulator.json"
    command = [sys.executable, "-m", "flow2api.simulator", "--port", "0", "--ready-file", str(ready_file)]
    command += ["--demo-accounts", str(_ACCOUNTS), "--with-parent"]
    # Its own process group: Ctrl-C is ours alone, so that work is drained while the upstream still answers.
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own program
    try:
        yield _wait_for(ready_file, process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(ready_file: Path, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    deadline = time.monotonic() + _SIMULATOR_STARTS_WITHIN_S
    while time.monotonic() < deadline:
        if ready_file.exists():
            ready: dict[str, Any] = json.loads(ready_file.read_text(encoding="utf-8"))
            return ready
        if process.poll() is not None:
            raise ConfigurationError(f"The simulator ended with exit code {process.returncode} before it was ready.")
        time.sleep(0.02)
    raise ConfigurationError(f"The simulator was not ready within {_SIMULATOR_STARTS_WITHIN_S:.0f} s.")
