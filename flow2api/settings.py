"""Start-up settings: defaults, then ``flow2api.toml``, then the environment, then the command line."""

import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, get_origin, get_type_hints
from urllib.parse import urlsplit

import msgspec

from flow2api.domain.allowed_hosts import host_names
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.options import Options, bounds_of
from flow2api.domain.secret import Secret

PREFIX = "FLOW2API_"
_OPTIONS = "options"
_BASE_URL = re.compile(r"(https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?(/[A-Za-z0-9._~/-]*)?)?")
_NOT_SETTINGS = frozenset({"config", "sections", "options", "origins"})

FILE = "flow2api.toml"
COMMAND_LINE = "command line"
SAVED = "saved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that is fixed while the server runs.

    Attributes:
        data_dir: Where everything lives that has no address of its own.
        database_url: Scheme names the storage; empty for ``flow2api.db`` in the data folder.
        media_url: Scheme names the media store; empty for ``media`` in the data folder.
        coordination_url: Scheme names what several processes share slots and limits by, and wake each other.
        public_url: The address by which clients reach the server; empty to follow each request.
        secret_key: The master key for secrets at rest; empty to use the file.
        secret_key_file: A file that holds it; empty for ``secret.key`` in the data folder.
        operator_password_file: A file that holds a passphrase, closed to others (mode 0600): ``serve`` makes the first operator,
            named ``operator``, of it. Once there is an operator it is not looked at any more, and may be gone.
        setup_code_file: A file that holds the code by which the first operator sets himself up in the browser, closed to others
            (mode 0600); empty to have ``serve`` make codes and print them. Once there is an operator it is not looked at any more.
        allowed_hosts: Names by which browsers may reach the console and the operators' API, beside the host of ``public_url``,
            ``host``, localhost, and every IP address; ``*`` is every name. A request that names another host is refused, so
            that no foreign page can lead a browser here under a name of its own.
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
        console_plain_http: Whether the console takes passphrases over plain http from other machines; anybody on the way can
            read them then. Without it that takes https, or a browser on the server's own machine.
        hsts_days: How many days browsers that came over https to the console keep to https for this host name, whatever its
            port; 0 never tells them to. Plain http is told nothing.
        open_metrics: Whether ``/metrics`` answers everybody, and not only operators who are signed in.
        log_level: ``debug``, ``info``, ``warning`` or ``error``.
        log_format: ``console`` or ``json``; ``auto`` is console on a terminal.
        plugins: Names of the plugins to enable, beside the built-in ones: installed packages, or files in the folder.
        plugins_dir: A folder with plugins that are single files; nobody but its owner may be able to write there. Empty for none.
        trusted_proxies: Addresses and networks whose forwarding headers are believed.
        plain_http_hosts: Names or addresses of hosts, beside this machine, that base URLs of accounts may lead to over plain
            http: API keys go there for anybody on the way to read. For a container network or a tunnel of your own.
        lease_s: How long a generation stays a process's own without a sign of life from it.
        drain_s: How long pictures have to come to their end when the server is stopped.
        linger_s: How long listeners go on answering after SIGTERM, so that load balancers see it in time.
        sections: The plugins' own settings, by plugin.
        options: Options that are fixed here and cannot be changed while the server runs.
        origins: Where each setting that was given comes from: the variable, `FILE`, `COMMAND_LINE`, or `SAVED` for what the
            option ``plugin_settings`` sets, by its name; what is in a section has the section's name and a point before it.
    """

    data_dir: Path = Path("data")
    database_url: str = ""
    media_url: str = ""
    coordination_url: str = "memory:"
    public_url: str = ""
    secret_key: Secret = field(default_factory=lambda: Secret(""))
    secret_key_file: str = ""
    operator_password_file: str = ""
    setup_code_file: str = ""
    allowed_hosts: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8000
    console_plain_http: bool = False
    hsts_days: int = 365
    open_metrics: bool = False
    log_level: str = "info"
    log_format: str = "auto"
    plugins: tuple[str, ...] = ()
    plugins_dir: str = ""
    trusted_proxies: tuple[str, ...] = ()
    plain_http_hosts: tuple[str, ...] = ()
    lease_s: float = 45.0
    drain_s: float = 60.0
    linger_s: float = 5.0
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def storage_url(self) -> str:
        """The database's URL, whole."""
        return self.database_url or f"sqlite:///{self.data_dir / 'flow2api.db'}"

    @property
    def store_url(self) -> str:
        """The media store's URL, whole."""
        return self.media_url or f"file:{self.data_dir / 'media'}"

    @property
    def known_hosts(self) -> frozenset[str]:
        """The names by which operators reach the server, in the form in which they are compared."""
        return host_names((*self.allowed_hosts, self.host, urlsplit(self.public_url).netloc))


@dataclass(frozen=True, slots=True)
class PluginChoice:
    """Which plugins are wanted.

    Attributes:
        enabled: By the setting.
        folder: Where those lie that are single files; None for nowhere.
        by_option: By the option of the same name, as far as the settings fix it; None when it is to be looked up.
        saved: Plugins' settings by the option ``plugin_settings``; None when it is to be looked up.
    """

    enabled: tuple[str, ...]
    folder: Path | None
    by_option: tuple[str, ...] | None
    saved: Mapping[str, str] | None = None


def read_plugin_choice(
    environment: Mapping[str, str], toml_text: str = "", overrides: Mapping[str, Any] | None = None
) -> PluginChoice:
    """Which plugins the settings enable: this has to be known before the plugins, and so their settings, are.

    Raises:
        ConfigurationError: It cannot be read.
    """
    given = _given(environment, toml_text, overrides)
    faults: list[str] = []
    found = _known({name: given[name] for name in ("plugins", "plugins_dir") if name in given}, (), faults)
    if faults:
        raise ConfigurationError("The settings cannot be used. " + " ".join(faults))
    options = given.get(_OPTIONS, {})
    fixed = options if isinstance(options, dict) else {}
    parsed = parse_options({name: fixed[name] for name in ("plugins", "plugin_settings") if name in fixed})
    return PluginChoice(
        enabled=found.get("plugins", ()),
        folder=Path(found["plugins_dir"]) if found.get("plugins_dir") else None,
        by_option=parsed.plugins if "plugins" in fixed else None,
        saved=parsed.plugin_settings if "plugin_settings" in fixed else None,
    )


def load_settings(
    environment: Mapping[str, str],
    toml_text: str = "",
    overrides: Mapping[str, Any] | None = None,
    *,
    sections: Collection[str] = (),
    more_sections: bool = False,
) -> Settings:
    """The settings from every source, the later winning.

    Args:
        environment: Variables; those that begin with ``FLOW2API_`` count, ``__`` goes one level down.
        toml_text: The content of ``flow2api.toml``.
        overrides: What the command line said.
        sections: Names of plugins that have settings of their own.
        more_sections: Not every plugin that has some could be asked, so that a section nobody knows is no fault.

    Raises:
        ConfigurationError: Some are unknown or cannot be used; the message names each of them, and the nearest known name.
    """
    faults: list[str] = []
    given = _given(environment, toml_text, overrides)
    ours = get_type_hints(Settings).keys()
    foreign = {name for name, value in given.items() if isinstance(value, Mapping)} if more_sections else set()
    sections = {*sections} - ours
    values = _known(given, sections | foreign - ours, faults)
    faults += [
        f"The section {name} is no table of settings." for name in sections if not _is_table(given.get(name, {}))
    ]
    faults += [
        f"The setting allowed_hosts has no use for {name!r}: it takes names as browsers show them, or *."
        for name in values.get("allowed_hosts", ())
        if not host_names([name])
    ]
    options = given.get(_OPTIONS, {})
    try:
        parse_options(options if isinstance(options, dict) else {"options": options})
    except ConfigurationError as error:
        faults.append(error.message)
    if faults:
        raise ConfigurationError("The settings cannot be used. " + " ".join(faults))
    return Settings(
        **values,
        options=options,
        sections={name: given.get(name, {}) for name in sections},
        origins=_origins(environment, toml_text, overrides),
    )


def _given(environment: Mapping[str, str], toml_text: str, overrides: Mapping[str, Any] | None) -> dict[str, Any]:
    """What every source says, the later winning."""
    given: dict[str, Any] = {}
    for source in (_from_toml(toml_text), _from_environment(environment), dict(overrides or {})):
        _merge(given, source)
    return given


def _origins(environment: Mapping[str, str], toml_text: str, overrides: Mapping[str, Any] | None) -> dict[str, str]:
    """Where the value that counts comes from, by the name of each setting that was given."""
    variables = {
        variable.removeprefix(PREFIX).lower().replace("__", "."): variable
        for variable in environment
        if variable.startswith(PREFIX)
    }
    return {
        **dict.fromkeys(_leaves(_from_toml(toml_text)), FILE),
        **variables,
        **dict.fromkeys(_leaves(dict(overrides or {})), COMMAND_LINE),
    }


def _leaves(table: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for name, value in table.items():
        if isinstance(value, Mapping) and before != f"{_OPTIONS}.":
            yield from _leaves(value, f"{before}{name}.")
        elif value is not None:
            yield f"{before}{name}"


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def parse_options(values: Mapping[str, Any]) -> Options:
    """The options that differ from the defaults, checked.

    Raises:
        ConfigurationError: One is unknown or cannot be used.
    """
    types = get_type_hints(Options)
    checked: dict[str, Any] = {}
    for name, value in values.items():
        if name not in types:
            raise ConfigurationError(f"There is no option {name!r}.{_did_you_mean(name, types)}")
        try:
            checked[name] = msgspec.convert(_unpacked(value, types[name]), types[name], strict=False)
        except (msgspec.ValidationError, msgspec.DecodeError) as error:
            raise ConfigurationError(f"The option {name} cannot be {value!r}: {error}.") from error
        if isinstance(checked[name], int | float) and not isinstance(checked[name], bool):
            least, most = bounds_of(name)
            if not least <= checked[name] <= most:
                raise ConfigurationError(f"The option {name} is a number from {least:g} to {most:.15g}.")
    if not checked.get("proxy_check_url", "https://").startswith(("http://", "https://")):
        raise ConfigurationError("The option proxy_check_url is no http or https address.")
    if not _BASE_URL.fullmatch(checked.get("media_base_url", "")):
        raise ConfigurationError(
            "The option media_base_url is no address that links can begin with; it looks like https://media.example.org."
        )
    return Options(**checked)


def _unpacked(value: object, kind: object) -> object:
    """A mapping that came as JSON text, or a list that came as names with commas between, from the environment."""
    if isinstance(value, str) and kind == tuple[str, ...]:
        return _split(value)
    return msgspec.json.decode(value) if isinstance(value, str) and get_origin(kind) is Mapping else value


def _known(given: Mapping[str, Any], sections: Collection[str], faults: list[str]) -> dict[str, Any]:
    """Every given setting in its own type; what is wrong is added to the faults."""
    types = {name: kind for name, kind in get_type_hints(Settings).items() if name not in _NOT_SETTINGS}
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name == _OPTIONS or name in sections or name in _NOT_SETTINGS:
            continue
        if name not in types:
            faults.append(f"There is no setting {name!r}.{_did_you_mean(name, [*types, *sections, _OPTIONS])}")
            continue
        try:
            values[name] = _convert(value, types[name])
        except (msgspec.ValidationError, TypeError) as error:
            faults.append(f"The setting {name} cannot be used: {error}.")
    return values


def _convert(value: Any, kind: type | UnionType) -> Any:
    if kind is Secret:
        return Secret(str(value))
    if kind is Path:
        return Path(str(value))
    if kind == tuple[str, ...] and isinstance(value, str):
        return _split(value)
    return msgspec.convert(value, kind, strict=False)


def _split(names: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in names.split(",") if part.strip())


def _from_toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"flow2api.toml cannot be read: {error}.") from error


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for variable, value in environment.items():
        if not variable.startswith(PREFIX):
            continue
        *path, last = variable.removeprefix(PREFIX).lower().split("__")
        place = given
        for step in path:
            place = place.setdefault(step, {})
        place[last] = value
    return given


def _merge(into: dict[str, Any], source: Mapping[str, Any]) -> None:
    for name, value in source.items():
        if isinstance(value, Mapping) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        elif value is not None:
            into[name] = dict(value) if isinstance(value, Mapping) else value


def _did_you_mean(name: str, known: Iterable[str]) -> str:
    nearest = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f" Did you mean {nearest[0]!r}?" if nearest else ""
