"""Takes in many accounts at once."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from flow2api.domain.account import Account, Capacity, CredentialKind, Credentials, RestReason, fold_email
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.credential_kinds import SESSIONS, CredentialKinds
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.let_go import let_go
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import Accounts, Changed, CredentialVault
from flow2api.domain.ports.system import Clock
from flow2api.domain.proxy import GLOBAL
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.import_rows import ImportedAccount, ImportReport, RowFate, RowOutcome, Tally
from flow2api.domain.usecases.manage_accounts import (
    check_has_base_url,
    check_limit,
    check_session_token,
    check_share,
    check_texts,
)

__all__ = ["ImportAccounts", "ImportReport", "ImportedAccount", "RowFate", "RowOutcome"]

_BATCH = 1000
_SLICE = 20
"""After so many rows others have their turn: half a millisecond of work."""

_TOLD_AT_ONCE = 250
"""Where somebody watches, so that it moves."""

_AT_ONCE = 64
"""Changes under way: enough to share their way to the disk, few enough not to crowd out others who read."""


StoresOne = Callable[[int, Callable[[], Awaitable[Changed | None]]], Awaitable[Changed | None]]
"""Carries out one write of the account with this id."""


class ImportAccounts:
    """Stores accounts without calling the upstream; the keeper warms them at its own pace.

    An account is known by its upstream and its session token or API key (with the base URL, if it has one), else by
    upstream and e-mail address; then the row renews its secret and whatever else it states. A bad row never stops the others.
    """

    def __init__(
        self,
        accounts: Accounts,
        vault: CredentialVault,
        clock: Clock,
        *,
        store: StoresOne | None = None,
        on_added: Callable[[Account], None] = lambda account: None,
        on_changed: Callable[[int], None] = lambda account_id: None,
        unit: str = "row",
        kinds: CredentialKinds = SESSIONS,
    ) -> None:
        """Args:
        store: Carries out a write of an account, for whoever has the accounts in memory: `TendAccounts.store`.
        on_added: Told each account that is added.
        on_changed: Told the id of each account that is changed.
        unit: What a row is called where a problem names another one.
        kinds: What the accounts of each upstream sign in with.
        """
        self._kinds = kinds
        self._accounts = accounts
        self._vault = vault
        self._clock = clock
        self._store = store or _store
        self._on_added = on_added
        self._on_changed = on_changed
        self._unit = unit.capitalize()

    async def __call__(
        self,
        rows: Sequence[ImportedAccount | str | None],
        on_progress: Callable[[int], None] = lambda done: None,
        *,
        actor: Actor | None = None,
    ) -> ImportReport:
        """Store what is new and change what is known.

        Args:
            rows: Accounts; for a row that could not be read the sentence that says why; None where there is no row (an
                empty line), so that numbers of rows are those of lines.
            on_progress: Told how many rows are done.
            actor: Who does it; each change and its audit entry are one.
        """
        return await self.in_parts(_parts(rows), on_progress, actor=actor)

    async def in_parts(
        self,
        parts: AsyncIterable[Sequence[ImportedAccount | str | None]],
        on_progress: Callable[[int], None] = lambda done: None,
        *,
        actor: Actor | None = None,
    ) -> ImportReport:
        """The same with rows that come a part at a time and are not held; each part is stored before the next is asked for."""
        tally, done = Tally(self._unit), 0
        async for part in parts:
            await self._store_part(await self._sort(part, done + 1, tally), actor)
            done += len(part)
            on_progress(done)
        await let_go(tally.tokens, tally.emails, tally.accounts)
        return tally.report()

    async def preview(
        self,
        rows: Sequence[ImportedAccount | str | None],
        on_outcome: Callable[[RowOutcome], None],
        *,
        unit: str | None = None,
    ) -> ImportReport:
        """What an import of these rows would do now; nothing is stored.

        Args:
            on_outcome: Told what would become of each row, in their order.
            unit: What a row is called here.
        """
        tally = Tally(self._called(unit), on_outcome)
        done = 0
        async for part in _parts(rows):
            await self._sort(part, done + 1, tally)
            done += len(part)
        await let_go(tally.tokens, tally.emails, tally.accounts)
        return tally.report()

    async def told(
        self,
        rows: Sequence[ImportedAccount | str | None],
        on_outcome: Callable[[RowOutcome], None],
        on_stored: Callable[[int], None],
        *,
        actor: Actor,
        unit: str | None = None,
    ) -> ImportReport:
        """Store the rows as a call does, and tell what becomes of each.

        Args:
            on_outcome: Told of each row once it is stored, in their order.
            on_stored: Told how many rows are done, whenever some are stored.
        """
        sorted_out: list[RowOutcome] = []
        tally, done = Tally(self._called(unit), sorted_out.append), 0
        async for part in _parts(rows, _TOLD_AT_ONCE):
            await self._store_part(await self._sort(part, done + 1, tally), actor)
            for outcome in sorted_out:
                on_outcome(outcome)
            sorted_out.clear()
            done += len(part)
            on_stored(done)
        await let_go(tally.tokens, tally.emails, tally.accounts)
        return tally.report()

    def _called(self, unit: str | None) -> str:
        return self._unit if unit is None else unit.capitalize()

    async def _sort(self, part: Sequence[ImportedAccount | str | None], first: int, tally: Tally) -> "_Changes":
        stated = [row for row in part if isinstance(row, ImportedAccount)]
        owners = await self._vault.find([row.session_token for row in stated])
        known = await self._known(stated, owners)
        changes = _Changes()
        for number, row in enumerate(part, first):
            if number % _SLICE == 0:
                await asyncio.sleep(0)
            if row is None:
                continue
            if isinstance(row, str):
                tally.refuse(number, row)
                continue
            try:
                kind = self._kinds.of(row.upstream)
                _check(row, kind)
                if _repeats(row, number, tally, kind):
                    tally.keep(number, row)
                    continue
                account = _account_of(row, owners, known, kind)
                _once_for_each(account, number, tally)
            except UnsupportedInputError as error:
                tally.refuse(number, error.message, row)
                continue
            is_elsewhere = account is not None and row.base_url != account.base_url
            is_new_token = is_elsewhere or account is None or account.id not in owners.get(row.session_token, ())
            self._plan(number, row, account, is_new_token=is_new_token, changes=changes, tally=tally)
        return changes

    async def _known(self, rows: Sequence[ImportedAccount], owners: Mapping[Secret, Sequence[int]]) -> "_Known":
        """The accounts that these rows may be about, as they are by now."""
        known = _Known(dict(await self._accounts.some([one for ids in owners.values() for one in ids])))
        emails = [fold_email(row.email) for row in rows if row.email]
        for account in await self._accounts.with_emails(emails):
            known.by_id[account.id] = account
            known.by_email[account.upstream, account.email or ""] = account.id
        return known

    def _plan(
        self,
        number: int,
        row: ImportedAccount,
        account: Account | None,
        *,
        is_new_token: bool,
        changes: "_Changes",
        tally: Tally,
    ) -> None:
        if account is None:
            blank = Account(id=0, upstream=row.upstream, name=(row.email or "").strip(), created_at=self._clock.now())
            added = _stated(blank, row, self._clock)
            changes.added.append((added, Credentials(row.session_token)))
            tally.add(number, row, added)
            return
        stated = _stated(account, row, self._clock)
        if not is_new_token and stated == account:
            tally.keep(number, row, account)
            return
        changes.changed.append((account.id, row, is_new_token))
        tally.update(number, row, account, stated, is_new_token=is_new_token)

    async def _store_part(self, changes: "_Changes", actor: Actor | None) -> None:
        if changes.added:
            entry = self._entry(actor, AuditAction.ACCOUNTS_IMPORTED, None, {"added": len(changes.added)})
            for number, account in enumerate(await self._accounts.add(changes.added, entry), 1):
                self._on_added(account)
                if number % _SLICE == 0:
                    await asyncio.sleep(0)
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def change(account_id: int, row: ImportedAccount, is_new_token: bool) -> None:
            async with at_once:
                await self._change(account_id, row, actor, is_new_token=is_new_token)

        # The first fault is told when all have ended.
        writes = [change(*each) for each in changes.changed]
        for outcome in await asyncio.gather(*writes, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _change(self, account_id: int, row: ImportedAccount, actor: Actor | None, *, is_new_token: bool) -> None:
        """Change the account as it is by now, unless it is gone."""
        kind = self._kinds.of(row.upstream)

        def stated(account: Account) -> Account:
            # Whoever has moved it since has given it another key, which the row's host must not see.
            return _stated(account, replace(row, base_url=account.base_url), self._clock)

        def unproven(account: Account) -> Account:
            moved = _stated(account, row, self._clock)
            return replace(moved, access_expires_at=None, access_obtained_at=None).with_new_secret(kind)

        def renewal(changed: Changed) -> AuditEntry | None:
            after: dict[str, object] = {kind.field: "new"}
            if changed.after.base_url != changed.before.base_url:
                after["base_url"] = changed.after.base_url
            return self._entry(actor, AuditAction.ACCOUNTS_IMPORTED, account_id, {"after": after})

        entry = self._entry(actor, AuditAction.ACCOUNTS_IMPORTED, account_id, {})
        if is_new_token:
            secrets = Credentials(row.session_token)
            changed = await self._store(account_id, lambda: self._vault.write(account_id, secrets, unproven, renewal))
        else:
            changed = await self._store(account_id, lambda: self._accounts.change(account_id, stated, lambda _: entry))
        if changed is not None:
            self._on_changed(account_id)

    def _entry(
        self, actor: Actor | None, action: AuditAction, account_id: int | None, details: Mapping[str, object]
    ) -> AuditEntry | None:
        if actor is None:
            return None
        subject = None if account_id is None else str(account_id)
        return AuditEntry(at=self._clock.now(), actor=actor, action=action, subject=subject, details=details)


@dataclass(slots=True)
class _Known:
    """The accounts that some rows may be about."""

    by_id: dict[int, Account] = field(default_factory=dict)
    by_email: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass(slots=True)
class _Changes:
    added: list[tuple[Account, Credentials]] = field(default_factory=list)
    changed: list[tuple[int, ImportedAccount, bool]] = field(default_factory=list)
    """By account the row, and whether its secret is to be tried: it is new, or is sent elsewhere."""


async def _store(account_id: int, write: Callable[[], Awaitable[Changed | None]]) -> Changed | None:
    return await write()


async def _parts(
    rows: Sequence[ImportedAccount | str | None], at_once: int = _BATCH
) -> AsyncIterator[Sequence[ImportedAccount | str | None]]:
    for start in range(0, len(rows), at_once):
        yield rows[start : start + at_once]


def _check(row: ImportedAccount, kind: CredentialKind) -> None:
    check_session_token(row.upstream, row.session_token, kind)
    check_has_base_url(row.upstream, kind, row.base_url)
    check_texts(email=row.email, name=row.name or "", remark=row.remark or "", tags=row.tags or frozenset())
    check_share(row.weight, row.priority)
    for medium, limit in row.limits.items():
        check_limit(medium, limit)


def _repeats(row: ImportedAccount, number: int, tally: Tally, kind: CredentialKind) -> bool:
    """Whether an earlier row is about the same account in the same words.

    Raises:
        UnsupportedInputError: An earlier row contradicts this one.
    """
    email = None if row.email is None else fold_email(row.email)
    identity = (row.session_token.fingerprint(), (row.upstream, row.base_url))
    first, first_email = tally.tokens.setdefault(identity, (number, email))
    if first != number:
        if email is not None and first_email is not None and email != first_email:
            raise UnsupportedInputError(f"{tally.unit} {first} has the same {kind.secret} under another address.")
        return True
    if email is not None:
        namesake = tally.emails.setdefault((row.upstream, email), number)
        if namesake != number:
            raise UnsupportedInputError(f"{tally.unit} {namesake} has the same address with another {kind.secret}.")
    return False


def _account_of(
    row: ImportedAccount, owners: Mapping[Secret, Sequence[int]], known: _Known, kind: CredentialKind
) -> Account | None:
    """The account that the row is about; None when it is a new one.

    Raises:
        UnsupportedInputError: Session token and address lead to two of them.
    """
    keepers = [known.by_id[one] for one in owners.get(row.session_token, ()) if one in known.by_id]
    owner = next((one for one in keepers if one.place == (row.upstream, row.base_url)), None)
    namesake = None if row.email is None else known.by_email.get((row.upstream, fold_email(row.email)))
    if owner is None:
        return None if namesake is None else known.by_id[namesake]
    if namesake not in (None, owner.id):
        raise UnsupportedInputError(
            f"The {kind.secret} is that of account {owner.id}, but the address that of account {namesake}."
        )
    return owner


def _once_for_each(account: Account | None, number: int, tally: Tally) -> None:
    """Note which row is about the account.

    Raises:
        UnsupportedInputError: An earlier one is.
    """
    if account is not None and (before := tally.accounts.setdefault(account.id, number)) != number:
        raise UnsupportedInputError(f"{tally.unit} {before} is about the same account ({account.id}).")


def _stated(account: Account, row: ImportedAccount, clock: Clock) -> Account:
    """The account as the row wants it. The address that the upstream told is never overwritten."""
    email = None if row.email is None else fold_email(row.email)
    stated = replace(
        account,
        email=account.email or email,
        name=account.name if row.name is None else row.name,
        remark=account.remark if row.remark is None else row.remark,
        tags=account.tags if row.tags is None else row.tags,
        weight=account.weight if row.weight is None else row.weight,
        priority=account.priority if row.priority is None else row.priority,
        proxy=account.proxy if row.proxy is None else None if row.proxy == GLOBAL else row.proxy,
        capacity=Capacity(
            image=row.limits.get(MediaKind.IMAGE, account.capacity.image),
            video=row.limits.get(MediaKind.VIDEO, account.capacity.video),
        ),
    ).served_at(row.base_url)
    is_off = stated.rest_of(RestReason.MANUAL) is not None
    if row.is_enabled is False and not is_off:
        return stated.resting(RestReason.MANUAL, clock.now())
    if row.is_enabled is True and is_off:
        return stated.without(lambda rest: rest.reason is not RestReason.MANUAL)
    return stated
