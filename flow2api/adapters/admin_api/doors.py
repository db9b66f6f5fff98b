"""What the operators' JSON API needs from the rest of the program."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from litestar.types import Receive

from flow2api.domain.account import Account
from flow2api.domain.audit import Actor
from flow2api.domain.credential_kinds import SESSIONS, CredentialKinds
from flow2api.domain.options import Options, OptionStanding
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.check_proxies import CheckProxies
from flow2api.domain.usecases.clear_request_log import ClearRequestLog
from flow2api.domain.usecases.count_accounts import CountAccounts
from flow2api.domain.usecases.delete_accounts import RestoreAccounts
from flow2api.domain.usecases.drop_second_factor import DropSecondFactor
from flow2api.domain.usecases.find_prompts import FindPrompts
from flow2api.domain.usecases.import_accounts import ImportAccounts
from flow2api.domain.usecases.look_up_generations import LookUpGenerations
from flow2api.domain.usecases.manage_connection_token import ManageConnectionToken
from flow2api.domain.usecases.manage_keys import ManageKeys
from flow2api.domain.usecases.manage_notify_targets import ManageNotifyTargets
from flow2api.domain.usecases.manage_operators import ManageOperators
from flow2api.domain.usecases.manage_proxies import ManageProxies
from flow2api.domain.usecases.manage_webhooks import ManageWebhooks
from flow2api.domain.usecases.operate_accounts import OperateAccounts
from flow2api.domain.usecases.push_session_token import PushSessionToken
from flow2api.domain.usecases.read_audit_log import ReadAuditLog
from flow2api.domain.usecases.read_request_log import ReadRequestLog
from flow2api.domain.usecases.read_statistics import ReadStatistics
from flow2api.domain.usecases.read_timeline import ReadTimeline
from flow2api.domain.usecases.refresh_account import RefreshAccount
from flow2api.domain.usecases.sign_in import SignIn
from flow2api.domain.usecases.simulate_policies import SimulatePolicies
from flow2api.domain.usecases.take_in_account import TakeInAccount


class ChangesOptions(Protocol):
    """The options as they stand, and how they are changed."""

    def __call__(self) -> Options:
        """The options now."""
        ...

    async def standing(self) -> Sequence[OptionStanding]:
        """Every option, and where its value comes from."""
        ...

    async def change(self, values: Mapping[str, object], actor: Actor) -> Options:
        """Set options, all of them or none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminDoors:
    """Everything that the handlers of this surface call.

    Attributes:
        request_id_of: The id of a request, by its ASGI scope; the same in every surface.
        base_url_of: The address that links to media begin with, for who sent this request.
        reload_keys: Has the client API know keys that were changed here.
        reload_proxies: Has the accounts know proxies that were changed here.
        reload_webhooks: Has those who send messages know webhooks that were changed here.
        policies: What each selection policy does, by name.
        upstreams: The names of the services that accounts can be of.
        account_of: The account as this process knows it.
        metrics: The figures of this moment in Prometheus' text format.
        in_time: Gives up the body of a request that is sent too slowly.
        reached_url_of: The address by which who sent this request reaches the server.
        tls_headers_of: What an answer says more when its request, by its scope, came over TLS.
        upstreams: Their names.
        kinds: What the accounts of each sign in with.
        trusted_proxies: Addresses or networks whose forwarding headers are believed.
        open_metrics: Whether ``/metrics`` needs no session.
        version: Of the program.
    """

    sign_in: SignIn
    accounts: OperateAccounts
    restore: RestoreAccounts
    take_in: TakeInAccount
    census: CountAccounts
    keys: ManageKeys
    reload_keys: Callable[[], Awaitable[None]]
    options: ChangesOptions
    clock: Clock
    request_id_of: Callable[[Any], str]
    base_url_of: Callable[[Any], str]
    reached_url_of: Callable[[Any], str]
    tls_headers_of: Callable[[Any], Sequence[tuple[bytes, bytes]]]
    in_time: Callable[[Receive], Receive]
    import_accounts: ImportAccounts
    connection: ManageConnectionToken
    push: PushSessionToken
    proxies: ManageProxies
    check_proxies: CheckProxies
    reload_proxies: Callable[[], Awaitable[None]]
    metrics: Callable[[], Awaitable[str]]
    account_of: Callable[[int], Account | None]
    statistics: ReadStatistics
    log: ReadRequestLog
    clear_log: ClearRequestLog
    operators: ManageOperators
    drop_second_factor: DropSecondFactor
    webhooks: ManageWebhooks
    reload_webhooks: Callable[[], Awaitable[None]]
    notify_targets: ManageNotifyTargets
    audit_log: ReadAuditLog
    timeline: ReadTimeline
    generations: LookUpGenerations
    find_prompts: FindPrompts
    refresh: RefreshAccount
    simulate: SimulatePolicies
    policies: Mapping[str, str]
    upstreams: frozenset[str] = frozenset()
    kinds: CredentialKinds = SESSIONS
    trusted_proxies: tuple[str, ...] = ()
    open_metrics: bool = False
    version: str = ""
