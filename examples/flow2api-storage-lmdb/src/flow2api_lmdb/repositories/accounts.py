"""Accounts, their secrets, and looking through them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from flow2api.domain.account import Account, AccountStatus, Credentials
from flow2api.domain.audit import AuditEntry
from flow2api.domain.ports.account_directory import LONGEST_SEARCH, AccountFilter, AccountPage, AccountUse
from flow2api.domain.ports.secrets import Cipher
from flow2api.domain.ports.storage import Changed
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret
from flow2api.domain.statistics import Counts
from flow2api.domain.trash import there_already
from flow2api_lmdb.engine import Engine
from flow2api_lmdb.noting import ACCOUNT, note_audit, note_changes
from flow2api_lmdb.schema import ACCOUNTS, ASSIGNMENTS, CREDENTIALS, REQUEST_LOG, TOTALS, KeptCredentials
from flow2api_lmdb.slices import first
from flow2api_lmdb.tables import Step

BATCH = 500


class LmdbAccounts:
    """Accounts by id."""

    def __init__(self, engine: Engine, cipher: Cipher) -> None:
        self._engine = engine
        self._cipher = cipher

    async def load(self) -> AsyncIterator[Sequence[Account]]:
        behind = 0
        while batch := await self._engine.read(lambda step: first(BATCH, step.scan(ACCOUNTS, after=(behind,)))):  # noqa: B023
            yield batch
            behind = batch[-1].id

    async def get(self, account_id: int) -> Account | None:
        return await self._engine.read(lambda step: step.get(ACCOUNTS, account_id))

    async def some(self, account_ids: Sequence[int]) -> Mapping[int, Account]:
        found = await self._engine.read(lambda step: [step.get(ACCOUNTS, account_id) for account_id in account_ids])
        return {account.id: account for account in found if account is not None}

    async def with_emails(self, emails: Sequence[str]) -> Sequence[Account]:
        def work(step: Step) -> Sequence[Account]:
            return [account for email in set(emails) for account in step.by(ACCOUNTS, "email", email)]

        return sorted(await self._engine.read(work), key=lambda account: account.id)

    async def add(
        self,
        accounts: Sequence[tuple[Account, Credentials]],
        audit: AuditEntry | None = None,
        *,
        unless_there: bool = False,
    ) -> Sequence[Account]:
        digests = [digest_of(self._cipher, credentials) for _, credentials in accounts]

        def work(step: Step) -> Sequence[Account]:
            for (account, _), digest in zip(accounts, digests, strict=True) if unless_there else ():
                if (known := same_account(step, account, digest)) is not None:
                    raise there_already(known)
            added = []
            for (new, credentials), digest in zip(accounts, digests, strict=True):
                account = replace(new, id=step.new_number("account"))
                step.put(ACCOUNTS, (account.id,), account)
                step.put(CREDENTIALS, (account.id,), KeptCredentials(account.id, without_host(credentials), digest))
                added.append(account)
            if added:
                note_changes(step, ACCOUNT, [account.id for account in added])
                only, last = added[0].id, added[-1].id
                note_audit(step, audit, only if only == last else f"{only}-{last}")
            return added

        return await self._engine.write(work) if accounts else []

    async def change(
        self,
        account_id: int,
        change: Callable[[Account], Account],
        audit: Callable[[Changed], AuditEntry | None] | None = None,
    ) -> Changed | None:
        def work(step: Step) -> Changed | None:
            before = step.get(ACCOUNTS, account_id)
            if before is None:
                return None
            changed = Changed(before, change(before))
            if changed.after != before:
                put_changed(step, changed, audit)
            return changed

        return await self._engine.write(work)

    async def remove(self, account_id: int, audit: AuditEntry | None = None) -> None:
        await self._engine.write(lambda step: forget_account(step, account_id, audit))


def put_changed(step: Step, changed: Changed, audit: Callable[[Changed], AuditEntry | None] | None) -> None:
    """Write an account over what was found in this step, with what goes along."""
    step.put(ACCOUNTS, (changed.before.id,), changed.after)
    note_changes(step, ACCOUNT, [changed.before.id])
    note_audit(step, None if audit is None else audit(changed))


def forget_account(step: Step, account_id: int, audit: AuditEntry | None) -> None:
    """Take an account away with what hangs on it."""
    if not step.delete(ACCOUNTS, account_id):
        return
    step.delete(CREDENTIALS, account_id)
    for assigned in list(step.scan(ASSIGNMENTS, account_id)):
        step.delete(ASSIGNMENTS, account_id, assigned.pool)
    note_changes(step, ACCOUNT, [account_id])
    note_audit(step, audit)


class LmdbCredentialVault:
    """Secrets by the id of their account, sealed."""

    def __init__(self, engine: Engine, cipher: Cipher, clock: Clock) -> None:
        self._engine = engine
        self._cipher = cipher
        self._clock = clock

    async def load(self) -> AsyncIterator[Sequence[tuple[int, Credentials]]]:
        now = self._clock.now()
        fresh = await self._engine.read(
            lambda step: [kept.account_id for kept in step.by(CREDENTIALS, "fresh", after=(now,))]
        )
        for start in range(0, len(fresh), BATCH):
            wanted = fresh[start : start + BATCH]
            found = await self._engine.read(lambda step: [step.get(CREDENTIALS, one) for one in wanted])  # noqa: B023
            yield [(kept.account_id, without_host(kept.credentials)) for kept in found if kept is not None]

    async def read(self, account_id: int) -> Credentials | None:
        kept = await self._engine.read(lambda step: step.get(CREDENTIALS, account_id))
        return None if kept is None else without_host(kept.credentials)

    async def write(
        self,
        account_id: int,
        credentials: Credentials,
        change: Callable[[Account], Account],
        audit: Callable[[Changed], AuditEntry | None] | None = None,
        *,
        replaces: Secret | None = None,
    ) -> Changed | None:
        digest = digest_of(self._cipher, credentials)

        def work(step: Step) -> Changed | None:
            before, kept = step.get(ACCOUNTS, account_id), step.get(CREDENTIALS, account_id)
            if before is None or kept is None or replaces not in (None, kept.credentials.session_token):
                return None
            changed = Changed(before, change(before))
            put_changed(step, changed, audit)
            step.put(CREDENTIALS, (account_id,), KeptCredentials(account_id, without_host(credentials), digest))
            return changed

        return await self._engine.write(work)

    async def find(self, session_tokens: Sequence[Secret]) -> Mapping[Secret, Sequence[int]]:
        def work(step: Step) -> Mapping[Secret, Sequence[int]]:
            found: dict[Secret, Sequence[int]] = {}
            for token in session_tokens:
                digest = self._cipher.digest(token, purpose=PURPOSE)
                owners = sorted(kept.account_id for kept in step.by(CREDENTIALS, "digest", digest))
                if owners:
                    found[token] = owners
            return found

        return await self._engine.read(work)


class LmdbAccountDirectory:
    """Looks at every account: right for some thousands of them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def page(self, wanted: AccountFilter, now: datetime, *, after: int, limit: int) -> Sequence[Account]:
        def work(step: Step) -> Sequence[Account]:
            passing = (one for one in step.scan(ACCOUNTS, after=(after,)) if _passes(one, wanted, now))
            return first(limit, passing)

        return await self._engine.read(work)

    async def count(self, wanted: AccountFilter, now: datetime) -> Mapping[AccountStatus, int]:
        def work(step: Step) -> Mapping[AccountStatus, int]:
            counts = dict.fromkeys(AccountStatus, 0)
            for account in step.scan(ACCOUNTS):
                if _passes(account, wanted, now):
                    counts[account.status(now)] += 1
            return counts

        return await self._engine.read(work)

    async def look(self, wanted: AccountFilter, now: datetime, *, after: int, limit: int) -> AccountPage:
        def work(step: Step) -> AccountPage:
            counts = dict.fromkeys(AccountStatus, 0)
            shown: list[Account] = []
            for account in step.scan(ACCOUNTS):
                if _passes(account, wanted, now):
                    counts[account.status(now)] += 1
                    if account.id > after and len(shown) < limit:
                        shown.append(account)
            return AccountPage(shown, counts)

        return await self._engine.read(work)

    async def use_of(self, account_ids: Sequence[int]) -> AccountUse:
        def work(step: Step) -> AccountUse:
            counts: dict[int, Counts] = {}
            last_used: dict[int, datetime] = {}
            for account_id in account_ids:
                for figure in step.scan(TOTALS, account_id):
                    counts[account_id] = counts.get(account_id, Counts()) + figure.counts
                for line in first(1, step.by(REQUEST_LOG, "account", account_id, backwards=True)):
                    last_used[account_id] = line.at
            return AccountUse(counts, last_used)

        return await self._engine.read(work)


PURPOSE = "session_token"


def same_account(step: Step, account: Account, digest: bytes) -> int | None:
    """The account of the same place that has this address or secret."""
    found = [] if account.email is None else [one.id for one in step.by(ACCOUNTS, "email", account.email)]
    found += [one.account_id for one in step.by(CREDENTIALS, "digest", digest)]
    accounts = (step.get(ACCOUNTS, one) for one in sorted(found))
    return next((one.id for one in accounts if one is not None and one.place == account.place), None)


def digest_of(cipher: Cipher, credentials: Credentials) -> bytes:
    """What a session token is found by."""
    return cipher.digest(credentials.session_token, purpose=PURPOSE)


def without_host(credentials: Credentials) -> Credentials:
    """What the vault keeps: the host is the account's."""
    return replace(credentials, base_url=None)


def _passes(account: Account, wanted: AccountFilter, now: datetime) -> bool:
    if wanted.tag is not None and wanted.tag not in account.tags:
        return False
    if wanted.status is not None and account.status(now) is not wanted.status:
        return False
    text = (wanted.text or "")[:LONGEST_SEARCH].casefold()
    return any(text in one.casefold() for one in (account.email or "", account.name, account.remark))
