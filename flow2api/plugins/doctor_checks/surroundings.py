"""The surroundings of the program: folders, the key file, addresses, limits."""

import os
import shutil
import stat
from pathlib import Path
from urllib.parse import unquote, urlsplit

from flow2api.adapters.system.process import reachable_file_limit
from flow2api.domain.base_url import is_loopback
from flow2api.domain.usecases.diagnose import CheckState, Finding
from flow2api.hookspecs import Examined

_LITTLE_BYTES = 1024**3
_LEAST_BYTES = 64 * 1024**2
_FEW_FILES = 4096
_OTHERS = 0o077


async def look_at_data_folder(examined: Examined) -> Finding:
    """The folder of everything that has no address of its own."""
    return look_at_folder(examined.data_dir, "The data folder")


async def look_at_media_folder(examined: Examined) -> Finding | None:
    """The folder of the media, if they are kept on the local disk."""
    folder = media_folder(examined.media_url)
    return None if folder is None else look_at_folder(folder, "The media folder")


async def look_at_secret_key(examined: Examined) -> Finding:
    """The master key."""
    return look_at_key(examined.data_dir, examined.secret_key_file, is_set=examined.has_secret_key)


async def look_at_public_address(examined: Examined) -> Finding:
    """The address that links begin with."""
    return look_at_public_url(examined.public_url, examined.host)


async def look_at_console(examined: Examined) -> Finding | None:
    """Whether passphrases of operators can be read on their way."""
    if not examined.has_plain_http:
        return None
    return Finding(
        CheckState.WARN,
        "The console takes passphrases over plain http (`console_plain_http`), and anybody on the way can read them.",
        "Put TLS before the server, and take the setting out.",
    )


async def look_at_file_limit(examined: Examined) -> Finding:
    """The limits of this very process, which a server would have, too."""
    return look_at_open_files()


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


def look_at_key(data_dir: Path, named: Path | None, *, is_set: bool) -> Finding:
    """Whether the master key is where it should be, and nobody else can read it."""
    if is_set:
        if named:
            return Finding(CheckState.FAIL, "Both the secret key and a file with it are set.", "Remove one of the two.")
        return Finding(CheckState.OK, "The secret key comes from the settings.")
    path = named or data_dir / "secret.key"
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
