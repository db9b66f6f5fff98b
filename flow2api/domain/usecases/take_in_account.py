"""Adds one account while the operator waits: the service tells at once whose it is and what it may do."""

import logging
from collections.abc import Mapping
from dataclasses import replace

from flow2api.domain.account import Account, Credentials, RestReason, Tier, fold_email
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.credential_kinds import SESSIONS, CredentialKinds
from flow2api.domain.errors import ConflictError, Flow2ApiError, UnsupportedInputError
from flow2api.domain.lease import AccountPool
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.storage import Accounts, CredentialVault
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access, Exchanged, Upstream
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.find_owners import find_owners
from flow2api.domain.usecases.manage_accounts import (
    NewAccount,
    check_has_base_url,
    check_limit,
    check_session_token,
    check_texts,
    check_workspace,
)

log = logging.getLogger(__name__)


class TakeInAccount:
    """Exchanges the session token, or tries the API key, before anything is stored: a wrong one is refused at once."""

    def __init__(
        self,
        pool: AccountPool,
        upstreams: Mapping[str, Upstream],
        accounts: Accounts,
        vault: CredentialVault,
        audit_log: AuditLog,
        clock: Clock,
        kinds: CredentialKinds = SESSIONS,
    ) -> None:
        self._kinds = kinds
        self._pool = pool
        self._upstreams = upstreams
        self._accounts = accounts
        self._vault = vault
        self._audit_log = audit_log
        self._clock = clock

    async def __call__(
        self, new: NewAccount, actor: Actor, *, workspace: str | None = None, workspace_name: str | None = None
    ) -> Account:
        """Store the account as the service tells of it, and take it into the pool.

        Args:
            workspace: Upstream's project that its generations are to belong to; None lets the keeper open one.
            workspace_name: What that project is called, or is to be called.

        Raises:
            UnsupportedInputError: The session token or what describes the account cannot be used.
            CredentialError: The service refuses the session token.
            UpstreamError: The service could not be asked.
            ConflictError: There is an account with this session token, or with this key at this host, or with this e-mail address.
        """
        check_texts(email=new.email, name=new.name, remark=new.remark, tags=new.tags)
        check_workspace(workspace, workspace_name)
        for kind in MediaKind:
            check_limit(kind, new.capacity.of(kind))
        exchanged = await self._exchange(new.upstream, Credentials(new.session_token, base_url=new.base_url))
        account = self._made(new, exchanged).working_in(workspace, workspace_name)
        await self._refuse_namesake(account)
        account = await self._with_allowance(account, exchanged)
        entry = self._entry(actor, AuditAction.ACCOUNT_ADDED, {"email": account.email, "remark": account.remark})
        await self._refuse_namesake(account)
        (added,) = await self._accounts.add([(account, exchanged.credentials)], entry, unless_there=True)
        self._pool.put(added)
        return added

    async def exchange(self, upstream: str, session_token: Secret, actor: Actor) -> Exchanged:
        """What an exchange of this session token brings; nothing is stored but that it was asked for.

        Raises:
            UnsupportedInputError: It cannot be a session token.
            CredentialError: The service refuses it.
            UpstreamError: The service could not be asked.
            ConflictError: An account has it: asking behind the keeper's back could make its own useless.
        """
        exchanged = await self._exchange(upstream, Credentials(session_token))
        await self._audit_log.note(self._entry(actor, AuditAction.SESSION_EXCHANGED, {"email": exchanged.email}))
        return exchanged

    async def _exchange(self, upstream: str, credentials: Credentials) -> Exchanged:
        kind, session_token = self._kinds.of(upstream), credentials.session_token
        check_session_token(upstream, session_token, kind)
        service = self._upstreams.get(upstream)
        if service is None:
            names = ", ".join(sorted(self._upstreams))
            raise UnsupportedInputError(f"There is no upstream {upstream[:64]!r}; there are {names}.", param="upstream")
        check_has_base_url(upstream, kind, credentials.base_url)
        place = (upstream, credentials.base_url)
        if owner := (await find_owners(self._vault, self._accounts, [session_token], place)).get(session_token):
            raise ConflictError(f"The account {owner} has this {kind.secret} already.")
        return await service.exchange(credentials, None)

    def _made(self, new: NewAccount, exchanged: Exchanged) -> Account:
        now, email = self._clock.now(), exchanged.email or new.email
        account = Account(
            id=0,
            upstream=new.upstream,
            name=new.name or exchanged.name or email or "",
            email=None if email is None else fold_email(email),
            remark=new.remark,
            capacity=new.capacity,
            tags=new.tags,
            base_url=new.base_url,
            proxy=new.proxy,
            created_at=now,
            access_expires_at=exchanged.credentials.expires_at,
            access_obtained_at=exchanged.credentials.obtained_at or now,
        )
        return account if new.is_enabled else account.resting(RestReason.MANUAL, now)

    async def _refuse_namesake(self, account: Account) -> None:
        if account.email is None:
            return
        for other in await self._accounts.with_emails([account.email]):
            if other.upstream == account.upstream:
                raise ConflictError(f"The account {other.id} has the address {account.email} already.")

    async def _with_allowance(self, account: Account, exchanged: Exchanged) -> Account:
        """Plan and credits as far as the service tells them now; the keeper asks again."""
        access = Access(
            account_id=0,
            session_token=exchanged.credentials.session_token,
            access_token=exchanged.credentials.access_token,
            tier=Tier.FREE,
            workspace=account.workspace,
            base_url=account.base_url,
        )
        try:
            allowance = await self._upstreams[account.upstream].allowance(access)
        except Flow2ApiError as error:
            log.warning("plan and credits of a new account not told yet: %s", error.code)
            return account
        return replace(account, tier=allowance.tier, credits=allowance.credits)

    def _entry(self, actor: Actor, action: AuditAction, details: Mapping[str, object]) -> AuditEntry:
        return AuditEntry(at=self._clock.now(), actor=actor, action=action, details=details)
