"""What an operator changes of an account, without a call to its upstream."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flow2api.domain.account import Account, Capacity, CredentialKind, Credentials, fold_email
from flow2api.domain.audit import Actor, AuditAction, AuditEntry, differences
from flow2api.domain.credential_kinds import SESSIONS, CredentialKinds
from flow2api.domain.errors import AccountNotFoundError, ConflictError, UnsupportedInputError
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import Accounts, Changed, CredentialVault
from flow2api.domain.ports.system import Clock
from flow2api.domain.proxy import GLOBAL
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.find_owners import find_owners
from flow2api.domain.usecases.manage_accounts import (
    check_has_base_url,
    check_limit,
    check_session_token,
    check_share,
    check_texts,
    check_workspace,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """What is to be different; what is None, or missing, stays.

    Attributes:
        limits: How many generations at once, by kind; None is no limit.
        workspace: Upstream's project that its generations belong to; an empty one lets the keeper open a new one.
        tags: All that it is to have; then ``added_tags`` come and ``removed_tags`` go.
        session_token: Takes the place of the former one; the keeper exchanges it. For upstreams with API keys, the key.
        proxy: The proxy or pool that it is to use, ``direct`` for none, ``global`` for what the option ``proxy`` says. It
            has to be known already; `ManageProxies.check_usable` tells.
        base_url: Where it is served from now on. The key has to be given again with it, so that nobody who may change an
            account has its key sent to a host of his own.
    """

    name: str | None = None
    email: str | None = None
    remark: str | None = None
    limits: Mapping[MediaKind, int | None] = field(default_factory=dict)
    weight: int | None = None
    priority: int | None = None
    workspace: str | None = None
    tags: frozenset[str] | None = None
    added_tags: frozenset[str] = frozenset()
    removed_tags: frozenset[str] = frozenset()
    session_token: Secret | None = None
    proxy: str | None = None
    base_url: str | None = None


class ChangeAccount:
    """Writes a change over the account as the database has it; a running server takes it in by itself."""

    def __init__(
        self, accounts: Accounts, vault: CredentialVault, clock: Clock, kinds: CredentialKinds = SESSIONS
    ) -> None:
        self._kinds = kinds
        self._accounts = accounts
        self._vault = vault
        self._clock = clock

    async def __call__(self, account: Account, change: AccountChange, actor: Actor) -> Account:
        """Change the account; what is so already is not written.

        Raises:
            UnsupportedInputError: Something cannot be as it is asked for.
            ConflictError: Another account has the address or the session token.
            AccountNotFoundError: It is not there any more.
        """
        check_change(change)
        kind = self._kinds.of(account.upstream)
        check_new_base_url(account, change.base_url, change.session_token, kind)
        wanted = changed_by(account, change)
        if wanted.email is not None and wanted.email != account.email:
            await self._refuse_namesake(wanted, wanted.email)
        if change.session_token is not None and await self._is_new(wanted, account, change.session_token):
            changed = await self._vault.write(
                account.id,
                Credentials(change.session_token),
                lambda one: _unproven(changed_by(one, change), kind),
                lambda one: self._entry(one, actor, {kind.field: "new"}),
            )
        else:
            changed = await self._accounts.change(
                account.id, lambda one: changed_where_it_is(one, change, kind), lambda one: self._entry(one, actor, {})
            )
        if changed is None:
            raise AccountNotFoundError(account.id)
        return changed.after

    async def _is_new(self, changed: Account, account: Account, session_token: Secret) -> bool:
        """Whether this has to be tried: another secret, or the same at another host."""
        kind = self._kinds.of(account.upstream)
        check_session_token(account.upstream, session_token, kind)
        owner = (await find_owners(self._vault, self._accounts, [session_token], changed.place)).get(session_token)
        if owner not in (None, account.id):
            raise ConflictError(f"The account {owner} has this {kind.secret} already.")
        return owner is None

    async def _refuse_namesake(self, account: Account, email: str) -> None:
        for other in await self._accounts.with_emails([email]):
            if other.id != account.id and other.upstream == account.upstream:
                raise ConflictError(f"The account {other.id} has the address {email} already.")

    def _entry(self, changed: Changed, actor: Actor, besides: Mapping[str, object]) -> AuditEntry:
        details = differences(told_of(changed.before), told_of(changed.after))
        return AuditEntry(
            at=self._clock.now(),
            actor=actor,
            action=AuditAction.ACCOUNT_CHANGED,
            subject=str(changed.before.id),
            details={**details, "after": {**details["after"], **besides}},
        )


def _unproven(account: Account, kind: CredentialKind) -> Account:
    """The account with a secret that nobody has tried yet."""
    return replace(account, access_expires_at=None, access_obtained_at=None).with_new_secret(kind)


def check_new_base_url(
    account: Account, base_url: str | None, session_token: Secret | None, kind: CredentialKind
) -> None:
    """Refuse an address for an account that has none, and one that comes without the key.

    Raises:
        UnsupportedInputError: It is so.
    """
    if base_url is None:
        return
    check_has_base_url(account.upstream, kind, base_url)
    if session_token is None and base_url != account.base_url:
        raise UnsupportedInputError("A new base URL needs the API key again, which is sent there.", param="api_key")


def check_change(change: AccountChange) -> None:
    """Refuse a change that cannot be, whatever account it is for.

    Raises:
        UnsupportedInputError: Something cannot be as it is asked for.
    """
    check_texts(
        email=change.email,
        name=change.name or "",
        remark=change.remark or "",
        tags=(change.tags or frozenset()) | change.added_tags,
    )
    for kind, limit in change.limits.items():
        check_limit(kind, limit)
    check_share(change.weight, change.priority)
    check_workspace(change.workspace)


def changed_by(account: Account, change: AccountChange) -> Account:
    """The account after the change, but for its session token."""
    tags = account.tags if change.tags is None else change.tags
    changed = replace(
        account,
        name=account.name if change.name is None else change.name,
        email=account.email if change.email is None else fold_email(change.email),
        remark=account.remark if change.remark is None else change.remark,
        capacity=Capacity(
            image=change.limits.get(MediaKind.IMAGE, account.capacity.image),
            video=change.limits.get(MediaKind.VIDEO, account.capacity.video),
        ),
        weight=account.weight if change.weight is None else change.weight,
        priority=account.priority if change.priority is None else change.priority,
        proxy=account.proxy if change.proxy is None else None if change.proxy == GLOBAL else change.proxy,
        tags=(tags | change.added_tags) - change.removed_tags,
    )
    if change.base_url is not None:
        changed = changed.served_at(change.base_url)
    return changed.working_in(change.workspace, None)


def changed_where_it_is(account: Account, change: AccountChange, kind: CredentialKind) -> Account:
    """The account after a change that stores no secret: the one that it has goes to no other host.

    Raises:
        UnsupportedInputError: It is served elsewhere than the change says, perhaps since a moment ago.
    """
    check_new_base_url(account, change.base_url, None, kind)
    return changed_by(account, change)


def reversal(account: Account, change: AccountChange) -> AccountChange:
    """What takes a change of limits, weight, priority and tags back from an account, which is as it was before.

    Nothing of it is set where the change makes no difference; whatever else it changes is not taken back.
    """
    after = changed_by(account, change)
    return AccountChange(
        limits={
            kind: account.capacity.of(kind)
            for kind in MediaKind
            if account.capacity.of(kind) != after.capacity.of(kind)
        },
        weight=account.weight if account.weight != after.weight else None,
        priority=account.priority if account.priority != after.priority else None,
        added_tags=account.tags - after.tags,
        removed_tags=after.tags - account.tags,
    )


def left_by(change: AccountChange, way_back: AccountChange) -> dict[str, object]:
    """What of the change an account shows that has not been changed since, by the names of `told_of`.

    Args:
        way_back: Its `reversal`; what that leaves alone is not told. Neither are tags, which come and go one by one.
    """
    left: dict[str, object] = {f"{kind.value}_capacity": change.limits[kind] for kind in way_back.limits}
    if way_back.weight is not None:
        left["weight"] = change.weight
    if way_back.priority is not None:
        left["priority"] = change.priority
    return left


def told_of(account: Account) -> dict[str, object]:
    """What of an account a change may touch, for the audit log."""
    return {
        "name": account.name,
        "email": account.email,
        "remark": account.remark,
        "image_capacity": account.capacity.image,
        "video_capacity": account.capacity.video,
        "weight": account.weight,
        "priority": account.priority,
        "workspace": account.workspace,
        "tags": sorted(account.tags),
        "proxy": account.proxy,
        "base_url": account.base_url,
    }
