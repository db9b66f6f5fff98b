"""What ``doctor`` looks at in the surroundings of the program: settings, folders, the key file, addresses."""

import ipaddress
import os
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from flow2api.adapters.probe import answers_at
from flow2api.adapters.system.process import reachable_file_limit
from flow2api.app.current_options import CurrentOptions
from flow2api.domain.ports.storage import Storage
from flow2api.domain.quantity import counted
from flow2api.domain.usecases.diagnose import Check, CheckState, Finding
from flow2api.domain.usecases.diagnose_proxies import judge_proxies
from flow2api.extensions import Extensions
from flow2api.plugins.upstream_flow import read_settings
from flow2api.settings import Settings

_LITTLE_BYTES = 1024**3
_LEAST_BYTES = 64 * 1024**2
_FEW_FILES = 4096
_OTHERS = 0o077


def surroundings(settings: Settings, extensions: Extensions) -> Iterator[Check]:
    """The checks that need neither database nor network."""
    yield _check("plugins", lambda: Finding(CheckState.OK, f"Loaded: {counted(len(extensions.plugins), 'plugin')}."))
    yield _check("data folder", lambda: look_at_folder(settings.data_dir, "The data folder"))
    media = media_folder(settings.store_url)
    if media is not None:
        yield _check("media folder", lambda: look_at_folder(media, "The media folder"))
    yield _check("secret key", lambda: look_at_key(settings))
    yield _check("public address", lambda: look_at_public_url(settings.public_url, settings.host))
    yield _check("open files", look_at_open_files)
    yield _check("upstream addresses", lambda: look_at_upstreams(settings.sections))


def options_check(build: Callable[[], CurrentOptions]) -> Check:
    """Whether the options that are stored, under those that the settings fix, can be used."""

    async def look() -> Finding:
        options = build()
        await options.reload()
        if options.ignored:
            told = " ".join(f"The stored option {name} is ignored: {why}" for name, why in options.ignored.items())
            return Finding(CheckState.FAIL, told, "Set it anew, or `flow2api options reset` it.")
        return Finding(CheckState.OK, f"The options can be used; accounts are chosen by {options().policy}.")

    return Check("options", look, needs="database")


def proxies_check(storage: Storage, build: Callable[[], CurrentOptions]) -> Check:
    """Whether those who name a proxy or a pool have one that could be used, by what is known of it."""

    async def look() -> Finding:
        options = build()
        await options.reload()
        return await judge_proxies(storage, options())

    return Check("proxies", look, needs="database")


def online_checks(settings: Settings) -> Iterator[Check]:
    """Whether the hosts of the upstream answer. Nothing of ours is sent to them but the question."""
    flow = read_settings(settings.sections.get("flow", {}))
    origins = dict.fromkeys(_origin(address) for address in (flow.labs_base_url, flow.api_base_url))
    for origin in origins:
        yield _reaching(origin)


def look_at_folder(folder: Path, what: str) -> Finding:
    """Whether a folder can be written by us alone, and has room; or can be made."""
    standing = next(one for one in (folder, *folder.absolute().parents) if one.exists())
    if not standing.is_dir():
        return Finding(CheckState.FAIL, f"{what} cannot be {folder}: {standing} is a file.", "Choose another folder.")
    if not os.access(standing, os.W_OK | os.X_OK):
        return Finding(CheckState.FAIL, f"{what} {folder} cannot be written.", f"Give {standing} to the server's user.")
    free = shutil.disk_usage(standing).free
    if free < _LITTLE_BYTES:
        state = CheckState.FAIL if free < _LEAST_BYTES else CheckState.WARN
        return Finding(state, f"{what} {folder} has {free // 1024**2:,} MiB left.", "Free some space on its disk.")
    if standing is not folder:
        return Finding(CheckState.OK, f"{what} {folder} is not there yet, and can be made.")
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & _OTHERS:
        return Finding(CheckState.WARN, f"{what} {folder} is open to others (mode {mode:04o}).", f"chmod 700 {folder}")
    return Finding(CheckState.OK, f"{what} {folder} can be written, with {free // 1024**3:,} GiB left.")


def media_folder(url: str) -> Path | None:
    """The folder of a media store on the local disk; None for any other store."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" and parts.path else None


def look_at_key(settings: Settings) -> Finding:
    """Whether the master key is where it should be, and nobody else can read it."""
    named = settings.secret_key_file
    if len(settings.secret_key):
        if named:
            return Finding(CheckState.FAIL, "Both the secret key and a file with it are set.", "Remove one of the two.")
        return Finding(CheckState.OK, "The secret key comes from the settings.")
    path = Path(named) if named else settings.data_dir / "secret.key"
    try:
        found = path.stat()
    except FileNotFoundError:
        if named:
            return Finding(
                CheckState.FAIL, f"The secret key file {path} is missing.", "Put it back, or correct the path."
            )
        return Finding(CheckState.OK, f"The secret key {path} is made when the first secret is stored.")
    except OSError as error:
        return Finding(
            CheckState.FAIL, f"The secret key file {path} cannot be read: {error.strerror}.", "Correct its rights."
        )
    if found.st_mode & _OTHERS:
        mode = stat.S_IMODE(found.st_mode)
        return Finding(
            CheckState.FAIL, f"The secret key {path} is open to others (mode {mode:04o}).", f"chmod 600 {path}"
        )
    return Finding(CheckState.OK, f"The secret key {path} is readable by its owner only.")


def look_at_public_url(url: str, host: str) -> Finding:
    """Whether clients can follow the links that answers hold."""
    if not url:
        return Finding(CheckState.OK, "Links follow the address of each request, for `public_url` is not set.")
    cure = "Set `public_url` to the address by which clients reach this server, such as https://media.example.org."
    try:
        parts = urlsplit(url)
        is_whole = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return Finding(CheckState.FAIL, "The setting `public_url` is no address.", cure)
    if parts.scheme not in ("http", "https") or not is_whole or parts.username or parts.query or parts.fragment:
        return Finding(CheckState.FAIL, "The setting `public_url` is not of the form http(s)://host[:port].", cure)
    if is_loopback(parts.hostname or "") and not is_loopback(host):
        return Finding(
            CheckState.WARN,
            f"The server listens on {host}, but links lead to {url}, which only this machine reaches.",
            cure,
        )
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        return Finding(
            CheckState.WARN,
            "Clients reach the server over plain http, so keys can be read on the way.",
            "Put TLS before it.",
        )
    return Finding(CheckState.OK, f"Links lead to {url}.")


def look_at_open_files() -> Finding:
    """How many clients a server can have at once, as far as the operating system lets it."""
    most = reachable_file_limit()
    sentence = f"A server can hold {most:,} connections and files at a time."
    if most < _FEW_FILES:
        return Finding(
            CheckState.WARN, sentence, "Raise the hard limit: `ulimit -Hn 65536`, or LimitNOFILE=65536 in its unit."
        )
    return Finding(CheckState.OK, sentence)


def look_at_upstreams(sections: Mapping[str, Mapping[str, Any]]) -> Finding:
    """Whether the addresses of the upstream have the right form; none of them is called."""
    flow = read_settings(sections.get("flow", {}))
    hosts = " and ".join(dict.fromkeys(_origin(address) for address in (flow.labs_base_url, flow.api_base_url)))
    return Finding(CheckState.OK, f"Flow is asked at {hosts}, in the era {flow.era}.")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reaching(origin: str) -> Check:
    async def look() -> Finding:
        status = await answers_at(origin)
        return Finding(CheckState.OK, f"{origin} answers (status {status}).")

    return Check(f"reach {urlsplit(origin).netloc}", look)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _check(name: str, look: Callable[[], Finding]) -> Check:
    async def find() -> Finding:
        return look()

    return Check(name, find)
