"""What operators do with accounts that are at work: look through them, change, switch, renew and remove them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from flow2api.domain.account import Account, AccountStatus, Capacity, Credentials, Cure, RestReason, fold_email
from flow2api.domain.audit import Actor, AuditAction, AuditEntry, differences
from flow2api.domain.credential_kinds import SESSIONS, CredentialKinds
from flow2api.domain.errors import AccountNotFoundError, ChangedMeanwhileError, ConflictError
from flow2api.domain.lease import AccountPool
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.account_directory import (
    AccountDirectory,
    AccountFilter,
    AccountPage,
    AccountUse,
)
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.storage import Accounts, AccountTrash, Changed, CredentialVault
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Upstream
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.change_account import (
    AccountChange,
    changed_where_it_is,
    check_change,
    check_new_base_url,
    told_of,
)
from flow2api.domain.usecases.delete_accounts import take_away
from flow2api.domain.usecases.find_owners import find_owners
from flow2api.domain.usecases.manage_accounts import check_limit, check_session_token, check_texts, check_workspace
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.tend_accounts import TendAccounts
from flow2api.domain.usecases.warm_accounts import with_allowance

_LIFTED_BY_ENABLING = frozenset({RestReason.MANUAL, RestReason.ERROR_STREAK})
_AT_ONCE = 500
COOLING = frozenset({RestReason.RATE_LIMITED, RestReason.REFUSED, RestReason.ERROR_STREAK})
"""Rests that time would end, and an operator may."""
_LIFTED_BY_SAVING = frozenset({RestReason.RATE_LIMITED})


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEdit:
    """What is to be changed; what is None stays.

    Attributes:
        limits: How many generations at once, by kind; None is no limit. A kind that is missing stays.
        workspace: Upstream's project that its generations belong to; an empty one lets the keeper open a new one.
        workspace_name: What it is called; the upstream is told only when the keeper opens one.
        session_token: Takes the place of the former one, once the service has taken it. For upstreams with API keys, the
            key.
        base_url: Where it is served from now on. The key has to come with it, for it is sent there.
    """

    remark: str | None = None
    limits: Mapping[MediaKind, int | None] | None = None
    workspace: str | None = None
    workspace_name: str | None = None
    session_token: Secret | None = None
    base_url: str | None = None


class OperateAccounts:
    """Changes the account as the database has it, in one step with the audit entry, and the pool right after.

    What the keeper writes meanwhile is not lost.
    """

    def __init__(
        self,
        pool: AccountPool,
        upstreams: Mapping[str, Upstream],
        accounts: Accounts,
        directory: AccountDirectory,
        vault: CredentialVault,
        audit_log: AuditLog,
        tend: TendAccounts,
        credentials: RenewCredentials,
        clock: Clock,
        kinds: CredentialKinds = SESSIONS,
        trash: AccountTrash | None = None,
    ) -> None:
        self._trash = trash
        self._kinds = kinds
        self._pool = pool
        self._upstreams = upstreams
        self._accounts = accounts
        self._directory = directory
        self._vault = vault
        self._audit_log = audit_log
        self._tend = tend
        self._credentials = credentials
        self._clock = clock

    # --- looking ------------------------------------------------------------------------------------------------------

    async def page(self, wanted: AccountFilter, *, after: int, limit: int) -> Sequence[Account]:
        """Accounts that pass the filter, with greater ids than ``after``, in the order of ids."""
        return await self._directory.page(wanted, self._clock.now(), after=after, limit=limit)

    async def count(self, wanted: AccountFilter) -> Mapping[AccountStatus, int]:
        """How many pass the filter, by how they stand."""
        return await self._directory.count(wanted, self._clock.now())

    async def look(self, wanted: AccountFilter, *, after: int, limit: int) -> AccountPage:
        """Both at once, as of one moment."""
        return await self._directory.look(wanted, self._clock.now(), after=after, limit=limit)

    async def use_of(self, accounts: Sequence[Account]) -> AccountUse:
        """What they have done so far."""
        return await self._directory.use_of([account.id for account in accounts])

    async def get(self, account_id: int) -> Account:
        """The account as the database has it.

        Raises:
            AccountNotFoundError: It is not there (any more).
        """
        account = await self._accounts.get(account_id)
        if account is None:
            raise AccountNotFoundError(account_id)
        return account

    async def secrets_of(self, accounts: Sequence[Account]) -> Mapping[int, Credentials]:
        """Their secrets by account, to be shown masked or to be revealed; those of removed accounts are missing."""
        found = {account.id: await self._vault.read(account.id) for account in accounts}
        return {account_id: credentials for account_id, credentials in found.items() if credentials is not None}

    async def note_reveal(self, wanted: AccountFilter, actor: Actor) -> None:
        """Put down that secrets are about to be shown; when that fails, they must not be.

        Raises:
            StorageError: It could not be put down.
        """
        details = {"q": wanted.text, "state": None if wanted.status is None else wanted.status.value}
        await self._audit_log.note(self._entry(actor, AuditAction.SECRETS_REVEALED, None, details))

    # --- changing -----------------------------------------------------------------------------------------------------

    async def edit(self, account_id: int, edit: AccountEdit, actor: Actor) -> Account:
        """Change the account. A rate limit is forgotten while its access token is good.

        Raises:
            AccountNotFoundError: It is not there.
            UnsupportedInputError: Something cannot be as it is asked for.
            CredentialError: The service, or the host at the new base URL, refuses the new session token or key.
            ConflictError: The new session token is that of another account.
        """
        account = await self.get(account_id)
        check_texts(email=None, name="", remark=edit.remark or "", tags=frozenset())
        check_workspace(edit.workspace, edit.workspace_name)
        for kind, limit in (edit.limits or {}).items():
            check_limit(kind, limit)
        check_new_base_url(account, edit.base_url, edit.session_token, self._kinds.of(account.upstream))
        if edit.session_token is not None:
            await self._replace_session(account, edit.session_token, actor, base_url=edit.base_url)
        return await self._change(account_id, AuditAction.ACCOUNT_CHANGED, lambda one: self._edited(one, edit), actor)

    async def change(
        self, account_id: int, change: AccountChange, actor: Actor, *, seen: Mapping[str, object] | None = None
    ) -> Account:
        """Change anything that an operator may say of an account; what is so already is not written.

        Args:
            seen: What the operator believes of it, by the names of `told_of`; None believes nothing.

        Raises:
            AccountNotFoundError: It is not there.
            UnsupportedInputError: Something cannot be as it is asked for.
            CredentialError: The service, or the host at the new base URL, refuses the new session token or key.
            ConflictError: Another account has the address or the session token.
            ChangedMeanwhileError: Something is not any more as it was seen; nothing was changed.
        """
        check_change(change)
        account = await self.get(account_id)
        kind = self._kinds.of(account.upstream)
        check_new_base_url(account, change.base_url, change.session_token, kind)
        if change.email is not None:
            await self._refuse_namesake(account, fold_email(change.email))
        _refuse_stale(account, seen)
        if change.session_token is not None:
            await self._replace_session(account, change.session_token, actor, base_url=change.base_url)

        def as_seen(one: Account) -> Account:
            _refuse_stale(one, seen)
            return changed_where_it_is(one, change, kind)

        return await self._change(account_id, AuditAction.ACCOUNT_CHANGED, as_seen, actor, told=told_of)

    async def change_each(
        self, wanted: AccountFilter | Sequence[int], change: AccountChange, actor: Actor
    ) -> Sequence[int]:
        """Change these accounts one after the other, or all that pass the filter.

        Returns:
            Their ids.

        Raises:
            AccountNotFoundError: One of them is not there; nothing was changed.
            UnsupportedInputError: Something cannot be as it is asked for; nothing was changed.
        """
        check_change(change)
        if isinstance(wanted, AccountFilter):
            chosen, after = [], 0
            while found := await self.page(wanted, after=after, limit=_AT_ONCE):
                chosen += [account.id for account in found]
                after = chosen[-1]
        else:
            chosen = [(await self.get(account_id)).id for account_id in dict.fromkeys(wanted)]
        for account_id in chosen:
            await self.change(account_id, change, actor)
        return chosen

    async def set_enabled(self, account_id: int, *, enabled: bool, actor: Actor) -> Account:
        """Switch the account on or off. On, it also starts anew as to its own faults; other reasons for rest stay.

        Raises:
            AccountNotFoundError: It is not there.
        """
        now = self._clock.now()

        def change(account: Account) -> Account:
            if enabled:
                cured = account.cured(Cure.OPERATOR).without(lambda rest: rest.reason not in _LIFTED_BY_ENABLING)
                return replace(cured, streaks=())
            is_off = account.rest_of(RestReason.MANUAL) is not None
            return account if is_off else account.resting(RestReason.MANUAL, now)

        action = AuditAction.ACCOUNT_ENABLED if enabled else AuditAction.ACCOUNT_DISABLED
        return await self._change(account_id, action, change, actor)

    async def end_pause(self, account_id: int, actor: Actor) -> Account:
        """Switch the account on as it was before it was switched off: its faults and all other reasons for rest stay.

        Raises:
            AccountNotFoundError: It is not there.
        """

        def change(account: Account) -> Account:
            return account.without(lambda rest: rest.reason is not RestReason.MANUAL)

        return await self._change(account_id, AuditAction.ACCOUNT_ENABLED, change, actor)

    async def end_cooldown(self, account_id: int, actor: Actor) -> Account:
        """Let the account work although the service has asked for a pause, or it has failed in a row; it starts anew.

        Credits that are used up, a session that has ended, and its being switched off stay what they are.

        Raises:
            AccountNotFoundError: It is not there.
        """

        def change(account: Account) -> Account:
            return replace(account.without(lambda rest: rest.reason not in COOLING), streaks=())

        return await self._change(account_id, AuditAction.ACCOUNT_CHANGED, change, actor)

    async def remove(self, account_id: int, actor: Actor) -> None:
        """Delete the account: it gets no work from now on and can be brought back for a day; what it made stays.

        Raises:
            AccountNotFoundError: It is not there.
        """
        async with self._tend.holding(account_id) as account:
            if account is None:
                raise AccountNotFoundError(account_id)
            entry = self._entry(
                actor, AuditAction.ACCOUNT_REMOVED, account_id, {"name": account.name, "email": account.email}
            )
            await take_away(self._accounts, self._trash, account_id, actor.name, self._clock, entry)
            self._pool.remove(account_id)
            self._credentials.forget(account_id)

    async def refresh_credits(self, account_id: int, actor: Actor) -> Account:
        """Ask the service for plan and credits now; that it is asked is put down before.

        Raises:
            AccountNotFoundError: It is not there.
            Flow2ApiError: Why the service did not tell.
        """
        account = self._at_work(account_id)
        await self._audit_log.note(self._entry(actor, AuditAction.CREDITS_ASKED, account_id, {}))
        allowance = await self._credentials.call(account, self._upstreams[account.upstream].allowance)
        changed = await self._tend.change(account_id, lambda one: with_allowance(one, allowance))
        if changed is None:
            raise AccountNotFoundError(account_id)
        return changed

    async def renew(self, account_id: int, actor: Actor) -> Account:
        """Exchange the session token for a new access token now; that it is to be done is put down before.

        Raises:
            AccountNotFoundError: It is not there.
            Flow2ApiError: Why there is none.
        """
        self._at_work(account_id)
        await self._audit_log.note(self._entry(actor, AuditAction.RENEWAL_ASKED, account_id, {}))
        await self._credentials.renew(account_id, force=True)
        return self._at_work(account_id)

    def _at_work(self, account_id: int) -> Account:
        account = self._pool.get(account_id)
        if account is None:
            raise AccountNotFoundError(account_id)
        return account

    async def _refuse_namesake(self, account: Account, email: str) -> None:
        for other in await self._accounts.with_emails([email]):
            if other.id != account.id and other.upstream == account.upstream:
                raise ConflictError(f"The account {other.id} has the address {email} already.")

    async def _change(
        self,
        account_id: int,
        action: AuditAction,
        change: Callable[[Account], Account],
        actor: Actor,
        *,
        told: Callable[[Account], Mapping[str, object]] | None = None,
    ) -> Account:
        told = told or _told

        def entry(changed: Changed) -> AuditEntry:
            return self._entry(actor, action, account_id, differences(told(changed.before), told(changed.after)))

        changed = await self._tend.store(account_id, lambda: self._accounts.change(account_id, change, entry))
        if changed is None:
            raise AccountNotFoundError(account_id)
        return changed.after

    def _edited(self, account: Account, edit: AccountEdit) -> Account:
        limits = edit.limits or {}
        changed = replace(
            account,
            remark=account.remark if edit.remark is None else edit.remark,
            capacity=Capacity(
                image=limits.get(MediaKind.IMAGE, account.capacity.image),
                video=limits.get(MediaKind.VIDEO, account.capacity.video),
            ),
        ).working_in(edit.workspace, edit.workspace_name)
        expires_at = changed.access_expires_at
        if expires_at is None or expires_at <= self._clock.now():
            return changed
        return changed.without(lambda rest: rest.reason not in _LIFTED_BY_SAVING or rest.model is not None)

    async def _replace_session(
        self, account: Account, session_token: Secret, actor: Actor, *, base_url: str | None = None
    ) -> None:
        """Prove the new one where it is to be used, and store both at once: a key goes to no host but its own."""
        kept = await self._vault.read(account.id)
        moved = replace(account, base_url=base_url or account.base_url)
        if kept is not None and kept.session_token == session_token and moved.base_url == account.base_url:
            return
        kind = self._kinds.of(account.upstream)
        check_session_token(account.upstream, session_token, kind)
        owner = (await find_owners(self._vault, self._accounts, [session_token], moved.place)).get(session_token)
        if owner not in (None, account.id):
            raise ConflictError(f"The account {owner} has this {kind.secret} already.")
        exchanged = await self._credentials.exchange(moved, Credentials(session_token))
        if exchanged.email is not None and account.email not in (None, exchanged.email):
            raise ConflictError(f"The {kind.secret} is that of {exchanged.email}, not of {account.email}.")
        now = self._clock.now()

        def renew(one: Account) -> Account:
            renewed = replace(
                one,
                email=one.email or exchanged.email,
                access_expires_at=exchanged.credentials.expires_at,
                access_obtained_at=exchanged.credentials.obtained_at or now,
            )
            return renewed.served_at(moved.base_url).with_new_secret(kind)

        after = {kind.field: "new", **({"base_url": moved.base_url} if moved.base_url != account.base_url else {})}
        entry = self._entry(actor, AuditAction.ACCOUNT_CHANGED, account.id, {"after": after})
        changed = await self._tend.store(
            account.id, lambda: self._vault.write(account.id, exchanged.credentials, renew, lambda _: entry)
        )
        if changed is None:
            raise AccountNotFoundError(account.id)
        self._credentials.forget(account.id)

    def _entry(
        self, actor: Actor, action: AuditAction, account_id: int | None, details: Mapping[str, object]
    ) -> AuditEntry:
        subject = None if account_id is None else str(account_id)
        return AuditEntry(at=self._clock.now(), actor=actor, action=action, subject=subject, details=details)


def _refuse_stale(account: Account, seen: Mapping[str, object] | None) -> None:
    """Refuse a change by somebody who believes of the account what is not so (any more).

    Raises:
        ChangedMeanwhileError: It is so.
    """
    told = told_of(account)
    others = [name for name, value in (seen or {}).items() if told[name] != value]
    if others:
        raise ChangedMeanwhileError(others)


def _told(account: Account) -> dict[str, object]:
    """What of an account an operator's change may touch, for the audit log."""
    return {
        "remark": account.remark,
        "image_capacity": account.capacity.image,
        "video_capacity": account.capacity.video,
        "workspace": account.workspace,
        "workspace_name": account.workspace_name,
        "rests": sorted(rest.reason.value for rest in account.rests),
        "streak": account.streak,
    }
