"""What the console needs from the rest of the program."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from litestar.types import Receive

from flow2api.adapters.console.checks.client_check import ClientCheck
from flow2api.adapters.console.checks.outside_check import OutsideCheck
from flow2api.domain.account import Account, Credentials
from flow2api.domain.audit import Actor
from flow2api.domain.catalog import ModelCatalog, ModelRoutes
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.lease import AccountPool
from flow2api.domain.options import Options, OptionStanding
from flow2api.domain.ports.outside import LooksOutside
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret
from flow2api.domain.start_up import StartUpSetting
from flow2api.domain.usecases.act_on_accounts import ActOnAccounts
from flow2api.domain.usecases.back_up_database import BackUpDatabase
from flow2api.domain.usecases.browse_accounts import BrowseAccounts
from flow2api.domain.usecases.change_preferences import ChangePreferences
from flow2api.domain.usecases.check_proxies import CheckProxies
from flow2api.domain.usecases.clear_request_log import ClearRequestLog
from flow2api.domain.usecases.count_accounts import CountAccounts
from flow2api.domain.usecases.count_requests import CountRequests
from flow2api.domain.usecases.count_retired_names import CountRetiredNames
from flow2api.domain.usecases.delete_accounts import RestoreAccounts
from flow2api.domain.usecases.drain_server import DrainServer
from flow2api.domain.usecases.draw_previews import DrawPreviews
from flow2api.domain.usecases.drop_second_factor import DropSecondFactor
from flow2api.domain.usecases.export_accounts import ExportAccounts
from flow2api.domain.usecases.find_prompts import FindPrompts
from flow2api.domain.usecases.follow_generations import FollowGenerations
from flow2api.domain.usecases.foresee_choices import ForeseeChoices
from flow2api.domain.usecases.foresee_ends import ForeseeEnds
from flow2api.domain.usecases.glance_at_pool import GlanceAtPool
from flow2api.domain.usecases.ingest_pictures import IngestPictures
from flow2api.domain.usecases.keep_diagnosis import KeepDiagnosis
from flow2api.domain.usecases.look_up_generations import LookUpGenerations
from flow2api.domain.usecases.manage_connection_token import ManageConnectionToken
from flow2api.domain.usecases.manage_keys import ManageKeys
from flow2api.domain.usecases.manage_notify_targets import ManageNotifyTargets
from flow2api.domain.usecases.manage_operators import ManageOperators
from flow2api.domain.usecases.manage_proxies import ManageProxies
from flow2api.domain.usecases.manage_second_factor import ManageSecondFactor
from flow2api.domain.usecases.manage_webhooks import ManageWebhooks
from flow2api.domain.usecases.operate_accounts import OperateAccounts
from flow2api.domain.usecases.operate_generations import OperateGenerations
from flow2api.domain.usecases.probe_accounts import ProbeAccounts
from flow2api.domain.usecases.read_audit_log import ReadAuditLog
from flow2api.domain.usecases.read_checks import ReadChecks
from flow2api.domain.usecases.read_credits import ReadCredits
from flow2api.domain.usecases.read_generations import ReadGenerations
from flow2api.domain.usecases.read_request_log import ReadRequestLog
from flow2api.domain.usecases.read_spans import ReadSpans
from flow2api.domain.usecases.read_statistics import ReadStatistics
from flow2api.domain.usecases.read_timeline import ReadTimeline
from flow2api.domain.usecases.refresh_account import RefreshAccount
from flow2api.domain.usecases.run_imports import GivenRows, RunImports
from flow2api.domain.usecases.run_in_playground import RunInPlayground
from flow2api.domain.usecases.search import Search
from flow2api.domain.usecases.serve_media import ServeMedia
from flow2api.domain.usecases.set_up import SetUp
from flow2api.domain.usecases.show_panels import ShowPanels
from flow2api.domain.usecases.sign_in import SignIn
from flow2api.domain.usecases.simulate_policies import SimulatePolicies
from flow2api.domain.usecases.take_in_account import TakeInAccount
from flow2api.domain.usecases.watch_room import WatchRoom
from flow2api.domain.usecases.work import Work


class ChangesOptions(Protocol):
    """The options as they stand, and how they are changed."""

    def __call__(self) -> Options:
        """The options now."""
        ...

    async def standing(self) -> Sequence[OptionStanding]:
        """Every option, and where its value comes from."""
        ...

    async def check(self, values: Mapping[str, object]) -> Options:
        """What the options would be with these values; nothing is changed."""
        ...

    async def change(self, values: Mapping[str, object], actor: Actor) -> Options:
        """Set options, all of them or none."""
        ...


class WritesAccounts(Protocol):
    """A file of accounts that is written a part at a time."""

    def begin(self) -> bytes:
        """What the file begins with."""
        ...

    def part(self, accounts: Sequence[tuple[Account, Credentials]]) -> bytes:
        """These accounts."""
        ...

    def end(self) -> bytes:
        """What the file ends with."""
        ...


class AccountFiles(Protocol):
    """Files of accounts, in every form that the program knows. Both calls may take a second, and belong into a thread."""

    def read(self, data: bytes, form: str, passphrase: Secret | None) -> GivenRows:
        """The rows of a file, which may be sealed under a passphrase."""
        ...

    def writer(self, form: str, passphrase: Secret | None) -> WritesAccounts:
        """A new file, sealed under the passphrase if there is one."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSetting:
    """A setting of a plugin's section, as it was read at the start.

    Attributes:
        name: As the file of settings has it, with its section.
        variable: The variable of the environment that sets it.
        kind: Its type; empty when the plugin has not told.
        value: Masked where it is a secret, or may be one.
    """

    name: str
    variable: str
    kind: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginField:
    """A setting of a section that its plugin has described.

    Attributes:
        shape: ``switch``, ``choice``, ``whole``, ``number``, ``text``, ``list``, ``json`` or ``secret``.
        choices: The values that there are, for a ``choice``.
        unit: What a number counts; empty when the plugin has not told.
        least: The least number; None for any. The same for ``most``.
        is_above: It has to be more than ``least``, and not that itself; ``is_below`` for ``most``.
        default: As a text of the environment; empty when it has none or nobody is told.
        origin: The variable or the file that sets it, ``saved`` for what was saved here; empty when nothing does.
        value: What the program runs with; of a secret only that there is one.
    """

    name: str
    variable: str
    help: str
    shape: str
    choices: tuple[str, ...] = ()
    unit: str = ""
    least: float | None = None
    most: float | None = None
    is_above: bool = False
    is_below: bool = False
    is_needed: bool = False
    default: str = ""
    origin: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginSection:
    """A section of the settings that its plugin has described.

    Attributes:
        is_savable: What is saved here comes at the next start; otherwise only the file and the environment set it.
    """

    name: str
    about: str
    is_savable: bool
    fields: tuple[PluginField, ...]


class PluginSettings(Protocol):
    """Looks at settings of plugins before they are saved; what says no raises `ConfigurationError`."""

    @property
    def start_fault(self) -> str:
        """Why this process could not start with what was saved, and has passed all of it over; empty when it has not."""
        ...

    def look_at(self, plugin: str) -> None:
        """Load a plugin that is not loaded, to see which settings it has. May take seconds: use a thread."""
        ...

    def sections_of(self, plugin: str) -> Sequence[PluginSection]:
        """What a plugin has described that is loaded, was left out because of its settings, or was looked at."""
        ...

    def read(self, name: str, text: str) -> str:
        """The value that a text stands for, in the form in which values are shown."""
        ...

    def check(self, section: str, texts: Mapping[str, str]) -> None:
        """Whether a section fits as a whole with these, in place of and beside what is given elsewhere. May take seconds: use a thread."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginFacts:
    """A plugin as this process found it at its start.

    Attributes:
        state: ``loaded``, ``not enabled`` or ``failed``.
        is_enabled_by_settings: The setting ``plugins`` names it, so that the option of that name cannot leave it out.
        error: Why it was left out; None when it was not.
        sha256: Of the file that it is; empty when it is a package.
        brings: The names under which operators choose what it brings.
        sections: Those that it has described, as forms show them.
    """

    name: str
    version: str
    source: str
    state: str
    is_built_in: bool
    is_enabled_by_settings: bool
    error: str | None
    hooks: tuple[str, ...]
    sha256: str
    brings: tuple[str, ...]
    settings: tuple[PluginSetting, ...]
    sections: tuple[PluginSection, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerDoors:
    """How this process does, and what is done with it as a whole.

    Attributes:
        dropped_lines: How many lines of the request log were lost since the start.
        is_draining: Whether the server is being stopped.
        loop_late_s: How late the event loop was lately, by the share of measurements that were no later.
        packages: The versions of what the program is made of.
        start_up: The settings that are fixed while the server runs.
        started_at: When this process was put together.
        support_bundle: What somebody who helps needs to know; no secret is in it.
    """

    backups: BackUpDatabase
    diagnosis: KeepDiagnosis
    drain: DrainServer
    dropped_lines: Callable[[], int]
    is_draining: Callable[[], bool]
    loop_late_s: Callable[[float], float | None]
    packages: Mapping[str, str]
    room: WatchRoom
    start_up: Sequence[StartUpSetting]
    started_at: datetime
    support_bundle: Callable[[Actor], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleDoors:
    """Everything that the console's handlers call.

    Attributes:
        account_of: The account as this process knows it.
        address_of: Where a request came from, as far as that can be believed, by its ASGI scope.
        base_url_of: The address that links to media begin with, for who sent this request.
        client_check: The check of how this server answers clients, one in a process.
        came_by_of: The address by which a request came, by its ASGI scope, whatever address is configured.
        is_alone: Whether no other process serves from the same storage, as far as its coordination tells.
        in_time: Gives up the body of a request that is sent too slowly.
        plugins: Every plugin that was found at the start.
        model_sources: The plugin, or the setting, that each name of a model comes from.
        look_outside: Sends one plain request to an address.
        most_picture_bytes: How large a picture may be that is sent along.
        outside_check: The look at the public address, one in a process.
        policies: What each selection policy does, by name.
        public_url: The address by which clients reach the server; empty where it follows each request.
        reached_url_of: The address by which who sent this request reaches the server.
        reload_keys: Has the client API know keys that were changed here.
        reload_proxies: Has the accounts know proxies that were changed here.
        reload_webhooks: Has those who send messages know webhooks that were changed here.
        request_id_of: The id of a request, by its ASGI scope; the same in every surface.
        tls_headers_of: What an answer says more when its request, by its scope, came over TLS.
        takes_plain_http: Whether passphrases are taken over plain http from other machines.
        upstreams: The names of the services that accounts can be of.
        used_today: What the limit by the day of a key counts; None where other processes count along.
        version: Of the program.
    """

    sign_in: SignIn
    set_up: SetUp
    second_factor: ManageSecondFactor
    drop_second_factor: DropSecondFactor
    preferences: ChangePreferences
    operators: ManageOperators
    accounts: OperateAccounts
    account_of: Callable[[int], Account | None]
    account_files: AccountFiles
    act_on_accounts: ActOnAccounts
    restore: RestoreAccounts
    browse: BrowseAccounts
    checks: ReadChecks
    credits: ReadCredits
    probes: ProbeAccounts
    take_in: TakeInAccount
    export: ExportAccounts
    imports: RunImports
    refresh: RefreshAccount
    census: CountAccounts
    glance: GlanceAtPool
    timeline: ReadTimeline
    pool: AccountPool
    kinds: CredentialKinds
    upstreams: frozenset[str]
    proxies: ManageProxies
    check_proxies: CheckProxies
    reload_proxies: Callable[[], Awaitable[None]]
    keys: ManageKeys
    reload_keys: Callable[[], Awaitable[None]]
    used_today: Callable[[int], int | None]
    catalog: ModelCatalog
    routes: ModelRoutes
    model_sources: Mapping[str, str]
    retired_names: CountRetiredNames
    ingest: IngestPictures
    generations: LookUpGenerations
    find_prompts: FindPrompts
    follow: FollowGenerations
    foresee_ends: ForeseeEnds
    operate_generations: OperateGenerations
    previews: DrawPreviews
    results: ReadGenerations
    media: ServeMedia
    work: Work
    panels: ShowPanels
    plugin_settings: PluginSettings
    plugins: Sequence[PluginFacts]
    server: ServerDoors
    playground: RunInPlayground
    most_picture_bytes: int
    options: ChangesOptions
    policies: Mapping[str, str]
    foresee: ForeseeChoices
    simulate: SimulatePolicies
    spans: ReadSpans
    statistics: ReadStatistics
    log: ReadRequestLog
    log_counts: CountRequests
    clear_log: ClearRequestLog
    audit_log: ReadAuditLog
    search: Search
    connection: ManageConnectionToken
    webhooks: ManageWebhooks
    reload_webhooks: Callable[[], Awaitable[None]]
    notify_targets: ManageNotifyTargets
    clock: Clock
    request_id_of: Callable[[Any], str]
    address_of: Callable[[Any], str]
    base_url_of: Callable[[Any], str]
    reached_url_of: Callable[[Any], str]
    came_by_of: Callable[[Any], str]
    tls_headers_of: Callable[[Any], Sequence[tuple[bytes, bytes]]]
    in_time: Callable[[Receive], Receive]
    takes_plain_http: bool = False
    is_alone: bool
    look_outside: LooksOutside
    client_check: ClientCheck = field(default_factory=ClientCheck)
    outside_check: OutsideCheck = field(default_factory=OutsideCheck)
    public_url: str = ""
    version: str = ""
