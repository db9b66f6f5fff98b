"""What operators work with, over what the server itself needs."""

import gc
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import tzinfo

from flow2api.app.telling import build_notify_targets, build_webhooks
from flow2api.domain.credential_kinds import SESSIONS, CredentialKinds
from flow2api.domain.health import HealthKind
from flow2api.domain.lease import AccountPool
from flow2api.domain.options import Options
from flow2api.domain.ports.second_factors import OneTimeCodes
from flow2api.domain.ports.secrets import Cipher, PassphraseMeter, Passphrases
from flow2api.domain.ports.storage import KeepsCredits, Storage
from flow2api.domain.ports.system import Clock, Ids
from flow2api.domain.ports.upstream import Upstream
from flow2api.domain.usecases.act_on_accounts import ActOnAccounts
from flow2api.domain.usecases.browse_accounts import BrowseAccounts
from flow2api.domain.usecases.change_preferences import ChangePreferences
from flow2api.domain.usecases.clear_request_log import ClearRequestLog
from flow2api.domain.usecases.confirm_passphrase import ConfirmPassphrase
from flow2api.domain.usecases.count_accounts import CountAccounts
from flow2api.domain.usecases.count_tries import CountTries
from flow2api.domain.usecases.delete_accounts import RestoreAccounts, trash_of
from flow2api.domain.usecases.drop_second_factor import DropSecondFactor
from flow2api.domain.usecases.export_accounts import ExportAccounts
from flow2api.domain.usecases.find_prompts import FindPrompts
from flow2api.domain.usecases.import_accounts import ImportAccounts
from flow2api.domain.usecases.judge_accounts import JudgeAccounts
from flow2api.domain.usecases.keep_accounts_counted import KeepAccountsCounted
from flow2api.domain.usecases.look_up_generations import LookUpGenerations
from flow2api.domain.usecases.manage_connection_token import ManageConnectionToken
from flow2api.domain.usecases.manage_keys import ManageKeys
from flow2api.domain.usecases.manage_notify_targets import ManageNotifyTargets
from flow2api.domain.usecases.manage_operators import ManageOperators
from flow2api.domain.usecases.manage_proxies import ManageProxies
from flow2api.domain.usecases.manage_second_factor import ManageSecondFactor
from flow2api.domain.usecases.manage_webhooks import ManageWebhooks
from flow2api.domain.usecases.note_credits import NoteCredits
from flow2api.domain.usecases.offer_setup import OfferSetup
from flow2api.domain.usecases.operate_accounts import OperateAccounts
from flow2api.domain.usecases.probe_accounts import ProbeAccounts
from flow2api.domain.usecases.push_session_token import PushSessionToken
from flow2api.domain.usecases.read_audit_log import ReadAuditLog
from flow2api.domain.usecases.read_checks import ReadChecks
from flow2api.domain.usecases.read_credits import ReadCredits
from flow2api.domain.usecases.read_timeline import ReadTimeline
from flow2api.domain.usecases.refresh_account import RefreshAccount
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.run_imports import RunImports
from flow2api.domain.usecases.search import Search
from flow2api.domain.usecases.set_up import SetUp
from flow2api.domain.usecases.sign_in import SignIn
from flow2api.domain.usecases.take_in_account import TakeInAccount
from flow2api.domain.usecases.tell_health import ToldAccounts, ToldVault
from flow2api.domain.usecases.tend_accounts import TendAccounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Operating:
    """The use cases of operators."""

    operators: ManageOperators
    sign_in: SignIn
    second_factor: ManageSecondFactor
    drop_second_factor: DropSecondFactor
    offer_setup: OfferSetup
    set_up: SetUp
    preferences: ChangePreferences
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


def build_operating(
    storage: Storage,
    upstreams: Mapping[str, Upstream],
    pool: AccountPool,
    tend: TendAccounts,
    credentials: RenewCredentials,
    cipher: Cipher,
    passphrases: Passphrases,
    meter: PassphraseMeter,
    codes: OneTimeCodes,
    ids: Ids,
    clock: Clock,
    options: Callable[[], Options],
    zone: Callable[[], tzinfo],
    profiles: Collection[str],
    probes: ProbeAccounts,
    refresh: RefreshAccount,
    kinds: CredentialKinds = SESSIONS,
) -> Operating:
    """All of them.

    Args:
        zone: The time zone whose days are counted.
        probes: Tests accounts.
        refresh: Has the upstream asked about an account.
        kinds: What the accounts of each upstream sign in with.
    """
    history = storage.credits_history if isinstance(storage, KeepsCredits) else None
    accounts = ToldAccounts(storage.accounts, storage.health, clock)
    vault = ToldVault(storage.vault, storage.health, clock, kinds=kinds)
    audit = storage.audit_log
    entrance = _entrance(storage, cipher, passphrases, meter, codes, ids, clock)
    judge = JudgeAccounts(pool, clock, probes.testing, renews=lambda: options().background_renewal)
    browse, census = BrowseAccounts(judge), CountAccounts(pool, clock)
    import_accounts = _import(storage, vault, pool, tend, credentials, clock, kinds)
    operate = OperateAccounts(
        pool, upstreams, accounts, storage.directory, vault, audit, tend, credentials, clock, kinds, trash_of(storage)
    )
    find_prompts = FindPrompts(storage.generation_directory)
    return Operating(
        operators=entrance.operators,
        sign_in=entrance.sign_in,
        second_factor=entrance.second_factor,
        drop_second_factor=DropSecondFactor(entrance.operators, storage.second_factors),
        offer_setup=entrance.offer_setup,
        set_up=entrance.set_up,
        preferences=ChangePreferences(storage.operators, clock),
        accounts=operate,
        restore=RestoreAccounts(pool, storage.accounts, storage.vault, trash_of(storage), clock),
        act_on_accounts=ActOnAccounts(pool, operate, refresh, probes, clock),
        probes=probes,
        take_in=TakeInAccount(pool, upstreams, accounts, vault, audit, clock, kinds),
        census=census,
        keep_counted=KeepAccountsCounted(pool, (judge.judge, census.count), clock),
        browse=browse,
        search=Search(browse, storage.generations, storage.request_log, storage.api_keys, find_prompts),
        keys=ManageKeys(storage.api_keys, cipher, clock, profiles),
        clear_log=ClearRequestLog(storage.request_log, audit, clock),
        export=ExportAccounts(accounts, vault, audit, clock),
        import_accounts=import_accounts,
        imports=RunImports(import_accounts, ids, clock, gc.freeze),
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


@dataclass(frozen=True, slots=True)
class _Entrance:
    """How operators come in."""

    operators: ManageOperators
    sign_in: SignIn
    second_factor: ManageSecondFactor
    offer_setup: OfferSetup
    set_up: SetUp


def _entrance(
    storage: Storage,
    cipher: Cipher,
    passphrases: Passphrases,
    meter: PassphraseMeter,
    codes: OneTimeCodes,
    ids: Ids,
    clock: Clock,
) -> _Entrance:
    audit, sessions = storage.audit_log, storage.sessions
    operators = ManageOperators(storage.operators, passphrases, meter, clock)
    tries = CountTries(sessions, storage.sign_in_tries, audit, cipher, clock)
    confirm = ConfirmPassphrase(tries, passphrases, audit, clock)
    second_factor = ManageSecondFactor(storage.second_factors, codes, confirm, audit, cipher, clock)
    sign_in = SignIn(
        storage.operators, sessions, tries, confirm, second_factor, audit, operators, passphrases, cipher, ids, clock
    )
    offer_setup = OfferSetup(storage.operators, storage.setup_codes, cipher, clock)
    set_up = SetUp(offer_setup, operators, sign_in, tries, audit, clock)
    return _Entrance(operators, sign_in, second_factor, offer_setup, set_up)


def _import(
    storage: Storage,
    vault: ToldVault,
    pool: AccountPool,
    tend: TendAccounts,
    credentials: RenewCredentials,
    clock: Clock,
    kinds: CredentialKinds,
) -> ImportAccounts:
    imported = ToldAccounts(storage.accounts, storage.health, clock, added_as=HealthKind.IMPORTED)
    return ImportAccounts(
        imported, vault, clock, store=tend.store, on_added=pool.put, on_changed=credentials.forget, kinds=kinds
    )
