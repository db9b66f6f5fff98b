"""What operators work with, over what the server itself needs."""

import gc
from dataclasses import dataclass

from flow2api.app.basis import Basis
from flow2api.app.generating import Tending
from flow2api.app.telling import build_notify_targets, build_webhooks
from flow2api.domain.credential_kinds import CredentialKinds
from flow2api.domain.health import HealthKind
from flow2api.domain.ports.storage import KeepsCredits, Storage
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.act_on_accounts import ActOnAccounts
from flow2api.domain.usecases.browse_accounts import BrowseAccounts
from flow2api.domain.usecases.clear_request_log import ClearRequestLog
from flow2api.domain.usecases.count_accounts import CountAccounts
from flow2api.domain.usecases.delete_accounts import RestoreAccounts, trash_of
from flow2api.domain.usecases.export_accounts import ExportAccounts
from flow2api.domain.usecases.find_prompts import FindPrompts
from flow2api.domain.usecases.import_accounts import ImportAccounts
from flow2api.domain.usecases.judge_accounts import JudgeAccounts
from flow2api.domain.usecases.keep_accounts_counted import KeepAccountsCounted
from flow2api.domain.usecases.look_up_generations import LookUpGenerations
from flow2api.domain.usecases.manage_connection_token import ManageConnectionToken
from flow2api.domain.usecases.manage_keys import ManageKeys
from flow2api.domain.usecases.manage_notify_targets import ManageNotifyTargets
from flow2api.domain.usecases.manage_proxies import ManageProxies
from flow2api.domain.usecases.manage_webhooks import ManageWebhooks
from flow2api.domain.usecases.note_credits import NoteCredits
from flow2api.domain.usecases.operate_accounts import OperateAccounts
from flow2api.domain.usecases.probe_accounts import ProbeAccounts
from flow2api.domain.usecases.push_session_token import PushSessionToken
from flow2api.domain.usecases.read_audit_log import ReadAuditLog
from flow2api.domain.usecases.read_checks import ReadChecks
from flow2api.domain.usecases.read_credits import ReadCredits
from flow2api.domain.usecases.read_timeline import ReadTimeline
from flow2api.domain.usecases.refresh_account import RefreshAccount
from flow2api.domain.usecases.run_imports import RunImports
from flow2api.domain.usecases.search import Search
from flow2api.domain.usecases.take_in_account import TakeInAccount
from flow2api.domain.usecases.tell_health import ToldAccounts, ToldVault


@dataclass(frozen=True, slots=True, kw_only=True)
class Operating:
    """The use cases of operators who have come in."""

    accounts: OperateAccounts
    take_in: TakeInAccount
    census: CountAccounts
    keep_counted: KeepAccountsCounted
    browse: BrowseAccounts
    restore: RestoreAccounts
    act_on_accounts: ActOnAccounts
    probes: ProbeAccounts
    search: Search
    keys: ManageKeys
    clear_log: ClearRequestLog
    export: ExportAccounts
    import_accounts: ImportAccounts
    imports: RunImports
    connection: ManageConnectionToken
    push: PushSessionToken
    proxies: ManageProxies
    webhooks: ManageWebhooks
    notify_targets: ManageNotifyTargets
    audit_log: ReadAuditLog
    timeline: ReadTimeline
    checks: ReadChecks
    credits: ReadCredits
    note_credits: NoteCredits
    generations: LookUpGenerations
    find_prompts: FindPrompts


def build_operating(basis: Basis, refresh: RefreshAccount) -> Operating:
    """All of them.

    Args:
        refresh: Has the upstream asked about an account.
    """
    backends, tending, clock, options, zone = (
        basis.backends,
        basis.tending,
        basis.clock,
        basis.options,
        basis.recording.zone,
    )
    storage, upstreams, kinds, cipher = basis.storage, backends.upstreams, backends.kinds, basis.vault.cipher
    pool, tend, credentials, audit = basis.pool, tending.tend, tending.credentials, storage.audit_log
    history = storage.credits_history if isinstance(storage, KeepsCredits) else None
    accounts = ToldAccounts(storage.accounts, storage.health, clock)
    vault = ToldVault(storage.vault, storage.health, clock, kinds=kinds)
    probes = _probes(basis)
    judge = JudgeAccounts(pool, clock, probes.testing, renews=lambda: options().background_renewal)
    browse, census = BrowseAccounts(judge), CountAccounts(pool, clock)
    import_accounts = _import(storage, vault, tending, clock, kinds)
    operate = OperateAccounts(
        pool, upstreams, accounts, storage.directory, vault, audit, tend, credentials, clock, kinds, trash_of(storage)
    )
    restore = RestoreAccounts(pool, storage.accounts, storage.vault, trash_of(storage), clock)
    find_prompts = FindPrompts(storage.generation_directory)
    return Operating(
        accounts=operate,
        restore=restore,
        act_on_accounts=ActOnAccounts(pool, operate, restore, refresh, probes, clock),
        probes=probes,
        take_in=TakeInAccount(pool, upstreams, accounts, vault, audit, clock, kinds),
        census=census,
        keep_counted=KeepAccountsCounted(pool, (judge.judge, census.count), clock),
        browse=browse,
        search=Search(browse, storage.generations, storage.request_log, storage.api_keys, find_prompts),
        keys=ManageKeys(storage.api_keys, cipher, clock, basis.extensions.profiles),
        clear_log=ClearRequestLog(storage.request_log, audit, clock),
        export=ExportAccounts(accounts, vault, audit, clock),
        import_accounts=import_accounts,
        imports=RunImports(import_accounts, basis.ids, clock, gc.freeze),
        connection=ManageConnectionToken(storage.connection_tokens, cipher, clock),
        proxies=ManageProxies(storage.proxies, accounts, clock),
        webhooks=build_webhooks(storage, options, clock),
        notify_targets=build_notify_targets(storage, clock),
        audit_log=ReadAuditLog(audit),
        checks=ReadChecks(storage.health),
        credits=ReadCredits(pool, history, clock, zone),
        note_credits=NoteCredits(pool, history, clock, zone),
        timeline=ReadTimeline(storage.accounts, storage.health),
        generations=LookUpGenerations(storage.generations, storage.generation_directory),
        find_prompts=find_prompts,
        push=PushSessionToken(pool, upstreams, accounts, vault, cipher, credentials, tend, clock, options),
    )


def _probes(basis: Basis) -> ProbeAccounts:
    tending = basis.tending
    return ProbeAccounts(
        basis.pool,
        basis.backends.upstreams,
        tending.credentials,
        tending.warm,
        tending.tend,
        basis.storage.audit_log,
        basis.clock,
        basis.proxying.choose.way,
        basis.proxying.check,
    )


def _import(
    storage: Storage,
    vault: ToldVault,
    tending: Tending,
    clock: Clock,
    kinds: CredentialKinds,
) -> ImportAccounts:
    imported = ToldAccounts(storage.accounts, storage.health, clock, added_as=HealthKind.IMPORTED)
    return ImportAccounts(
        imported,
        vault,
        clock,
        store=tending.tend.store,
        on_added=tending.pool.put,
        on_changed=tending.credentials.forget,
        kinds=kinds,
    )
