"""A storage in memory that keeps every promise of the port, for tests of everything that needs one."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flow2api.domain.account import Account, AccountStatus, Credentials
from flow2api.domain.api_key import ApiKey
from flow2api.domain.audit import AuditEntry, AuditFilter
from flow2api.domain.errors import ConflictError
from flow2api.domain.generation import Generation, State
from flow2api.domain.health import HealthEvent
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.operator import LAST_OWNER, Operator, Role, folded
from flow2api.domain.ports.account_directory import (
    LONGEST_SEARCH,
    AccountDirectory,
    AccountFilter,
    AccountPage,
    AccountUse,
)
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.connection_tokens import ConnectionTokens
from flow2api.domain.ports.legacy import Inheritance
from flow2api.domain.ports.notifications import NotifyTargets, ToldNotices
from flow2api.domain.ports.proxies import Proxies
from flow2api.domain.ports.request_log import RequestLog
from flow2api.domain.ports.sessions import Sessions, SignInTries
from flow2api.domain.ports.statistics import Statistics
from flow2api.domain.ports.storage import (
    Accounts,
    ApiKeys,
    Change,
    ChangeFeed,
    CredentialVault,
    GenerationDirectory,
    GenerationFilter,
    Generations,
    HealthLog,
    IdempotencyClaim,
    Journal,
    LogEntry,
    MediaIndex,
    Operators,
    OptionValues,
    Page,
    PastRequest,
    PastRequests,
    Storage,
)
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.webhooks import Deliveries, Webhooks
from flow2api.domain.secret import Secret
from flow2api.domain.session import OperatorSession
from flow2api.domain.statistics import Counts
from flow2api.domain.throttle import Tries
from flow2api.testing.fakes.inheritance import FakeConnectionTokens, FakeInheritance
from flow2api.testing.fakes.notify import FakeDeliveries, FakeNotifyTargets, FakeToldNotices, FakeWebhooks
from flow2api.testing.fakes.proxies import FakeProxies
from flow2api.testing.fakes.records import FakeRequestLog, FakeStatistics
from flow2api.testing.fakes.tables import Tables


class FakeAccounts:
    """Accounts in memory."""

    def __init__(self, tables: Tables, batch: int = 500) -> None:
        self._tables = tables
        self._batch = batch

    async def load(self) -> AsyncIterator[Sequence[Account]]:
        accounts = [account for _, account in sorted(self._tables.accounts.items())]
        for start in range(0, len(accounts), self._batch):
            yield accounts[start : start + self._batch]

    async def get(self, account_id: int) -> Account | None:
        return self._tables.accounts.get(account_id)

    async def some(self, account_ids: Sequence[int]) -> Mapping[int, Account]:
        return {number: known for number in account_ids if (known := self._tables.accounts.get(number)) is not None}

    async def with_emails(self, emails: Sequence[str]) -> Sequence[Account]:
        return [account for _, account in sorted(self._tables.accounts.items()) if account.email in emails]

    async def add(
        self, accounts: Sequence[tuple[Account, Credentials]], audit: AuditEntry | None = None
    ) -> Sequence[Account]:
        self._tables.writing(audit)
        added = []
        for new, credentials in accounts:
            account = replace(new, id=self._tables.new_id("account"))
            self._tables.accounts[account.id] = account
            self._tables.credentials[account.id] = credentials
            self._tables.note("account", account.id)
            added.append(account)
        if added:
            first, last = added[0].id, added[-1].id
            self._tables.note_audit(audit, first if first == last else f"{first}-{last}")
        return added

    async def save(self, account: Account, audit: AuditEntry | None = None) -> None:
        self._tables.writing(audit)
        if account.id in self._tables.accounts:
            self._tables.accounts[account.id] = account
            self._tables.note("account", account.id)
            self._tables.note_audit(audit)

    async def remove(self, account_id: int, audit: AuditEntry | None = None) -> None:
        self._tables.writing(audit)
        self._tables.credentials.pop(account_id, None)
        if self._tables.accounts.pop(account_id, None) is not None:
            self._tables.note("account", account_id)
            self._tables.note_audit(audit)


class FakeCredentialVault:
    """Secrets in memory, not sealed."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def load(self) -> AsyncIterator[Sequence[tuple[int, Credentials]]]:
        if fresh := [item for item in sorted(self._tables.credentials.items()) if item[1].is_fresh(self._tables.now())]:
            yield fresh

    async def read(self, account_id: int) -> Credentials | None:
        return self._tables.credentials.get(account_id)

    async def write(self, account: Account, credentials: Credentials, audit: AuditEntry | None = None) -> None:
        self._tables.writing(audit)
        if account.id in self._tables.accounts:
            self._tables.accounts[account.id] = account
            self._tables.credentials[account.id] = credentials
            self._tables.note("account", account.id)
            self._tables.note_audit(audit)

    async def find(self, session_tokens: Sequence[Secret]) -> Mapping[Secret, int]:
        kept = {credentials.session_token: number for number, credentials in sorted(self._tables.credentials.items())}
        return {token: kept[token] for token in session_tokens if token in kept}


class FakeApiKeys:
    """API keys in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def all(self) -> Sequence[ApiKey]:
        return [key for _, key in sorted(self._tables.api_keys.items())]

    async def find(self, digest: bytes) -> ApiKey | None:
        return next((key for key in self._tables.api_keys.values() if key.digest == digest), None)

    async def add(self, key: ApiKey, audit: AuditEntry | None = None) -> ApiKey:
        self._tables.writing(audit)
        self._refuse_conflict(key)
        key = replace(key, id=self._tables.new_id("api_key"))
        self._tables.api_keys[key.id] = key
        self._tables.note("api_key", key.id)
        self._tables.note_audit(audit, key.id)
        return key

    async def save(self, key: ApiKey, audit: AuditEntry | None = None) -> None:
        self._tables.writing(audit)
        if key.id in self._tables.api_keys:
            self._refuse_conflict(key)
            self._tables.api_keys[key.id] = key
            self._tables.note("api_key", key.id)
            self._tables.note_audit(audit)

    def _refuse_conflict(self, key: ApiKey) -> None:
        others = [other for other in self._tables.api_keys.values() if other.id != key.id]
        if key.is_active and any(other.is_active and other.name == key.name for other in others):
            raise ConflictError(f"An active key named {key.name!r} exists already. Choose another name or revoke it.")
        if any(other.digest == key.digest for other in others):
            raise ConflictError("This key exists already.")


class FakeOperators:
    """Operators in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def all(self) -> Sequence[Operator]:
        return [operator for _, operator in sorted(self._tables.operators.items())]

    async def get(self, operator_id: int) -> Operator | None:
        return self._tables.operators.get(operator_id)

    async def find(self, name: str) -> Operator | None:
        return next((one for one in self._tables.operators.values() if folded(one.name) == folded(name)), None)

    async def add(self, operator: Operator, audit: AuditEntry | None = None) -> Operator:
        self._tables.writing(audit)
        self._refuse_conflict(operator)
        operator = replace(operator, id=self._tables.new_id("operator"))
        self._tables.operators[operator.id] = operator
        self._tables.note("operator", operator.id)
        self._tables.note_audit(audit, operator.id)
        return operator

    async def add_first(self, operator: Operator, audit: AuditEntry | None = None) -> Operator:
        if self._tables.operators:
            self._tables.writing()
            raise ConflictError("There is an operator already; this would not be the first one.")
        return await self.add(operator, audit)

    async def save(self, operator: Operator, audit: AuditEntry | None = None) -> None:
        self._tables.writing(audit)
        self._refuse_conflict(operator)
        if operator.role is not Role.OWNER:
            self._refuse_last_owner(operator.id)
        if operator.id in self._tables.operators:
            self._tables.operators[operator.id] = operator
            self._tables.note("operator", operator.id)
            self._tables.note_audit(audit)

    async def remove(self, operator_id: int, audit: AuditEntry | None = None) -> None:
        self._tables.writing(audit)
        self._refuse_last_owner(operator_id)
        if self._tables.operators.pop(operator_id, None) is None:
            return
        sessions = self._tables.sessions
        for digest in [digest for digest, one in sessions.items() if one.operator_id == operator_id]:
            del sessions[digest]
        self._tables.note("operator", operator_id)
        self._tables.note_audit(audit)

    def _refuse_last_owner(self, operator_id: int) -> None:
        if [one.id for one in self._tables.operators.values() if one.role is Role.OWNER] == [operator_id]:
            raise ConflictError(LAST_OWNER)

    def _refuse_conflict(self, operator: Operator) -> None:
        others = [other for other in self._tables.operators.values() if other.id != operator.id]
        if any(folded(other.name) == folded(operator.name) for other in others):
            raise ConflictError(f"An operator named {operator.name!r} exists already. Choose another name.")


class FakeSessions:
    """Sessions in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, session: OperatorSession, audit: AuditEntry | None = None) -> None:
        self._tables.writing(audit)
        self._tables.sessions[session.digest] = session
        self._tables.note_audit(audit)

    async def find(self, digest: bytes) -> OperatorSession | None:
        return self._tables.sessions.get(digest)

    async def of_operator(self, operator_id: int) -> Sequence[OperatorSession]:
        mine = [session for session in self._tables.sessions.values() if session.operator_id == operator_id]
        return sorted(mine, key=lambda session: (session.created_at, session.id), reverse=True)

    async def saw(self, digest: bytes, at: datetime) -> None:
        self._tables.writing()
        session = self._tables.sessions.get(digest)
        if session is not None and session.seen_at < at:
            self._tables.sessions[digest] = replace(session, seen_at=at)

    async def restamp(self, digest: bytes, stamp: str) -> None:
        self._tables.writing()
        if digest in self._tables.sessions:
            self._tables.sessions[digest] = replace(self._tables.sessions[digest], stamp=stamp)

    async def remove(self, digest: bytes, audit: AuditEntry | None = None) -> bool:
        self._tables.writing(audit)
        if self._tables.sessions.pop(digest, None) is None:
            return False
        self._tables.note_audit(audit)
        return True


class FakeSignInTries:
    """Tries to sign in, in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def begin(self, subjects: Sequence[bytes], now: datetime) -> timedelta:
        self._tables.writing()
        known = {subject: self._tables.tries.get(subject, Tries()) for subject in subjects}
        pause = max((tries.pause_left(now) for tries in known.values()), default=timedelta(0))
        if not pause:
            self._tables.tries.update({subject: tries.one_more(now) for subject, tries in known.items()})
        return pause

    async def forget(self, subjects: Sequence[bytes]) -> None:
        self._tables.writing()
        for subject in subjects:
            self._tables.tries.pop(subject, None)


class FakeAuditLog:
    """The audit log in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def note(self, entry: AuditEntry) -> None:
        self._tables.writing(entry)
        self._tables.note_audit(entry)

    async def page(self, *, before: int | None, limit: int, wanted: AuditFilter | None = None) -> Sequence[AuditEntry]:
        older = [
            entry
            for entry in self._tables.audit
            if (before is None or entry.number < before) and (wanted is None or _passes(entry, wanted))
        ]
        return older[::-1][:limit]


def _passes(entry: AuditEntry, wanted: AuditFilter) -> bool:
    return (
        entry.action.startswith(wanted.action or "")
        and wanted.actor in (None, entry.actor.name)
        and wanted.subject in (None, entry.subject)
        and (wanted.since is None or entry.at >= wanted.since)
        and (wanted.until is None or entry.at < wanted.until)
    )


class FakeAccountDirectory:
    """Looks through the accounts in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def page(self, wanted: AccountFilter, now: datetime, *, after: int, limit: int) -> Sequence[Account]:
        return [account for account in self._found(wanted, now) if account.id > after][:limit]

    async def count(self, wanted: AccountFilter, now: datetime) -> Mapping[AccountStatus, int]:
        found = [account.status(now) for account in self._found(wanted, now)]
        return {status: found.count(status) for status in AccountStatus}

    async def look(self, wanted: AccountFilter, now: datetime, *, after: int, limit: int) -> AccountPage:
        found = await self.page(wanted, now, after=after, limit=limit)
        return AccountPage(found, await self.count(wanted, now))

    async def use_of(self, account_ids: Sequence[int]) -> AccountUse:
        counts: dict[int, Counts] = {}
        last: dict[int, datetime] = {}
        for entry in self._tables.log:
            if entry.account_id in account_ids and entry.account_id is not None:
                went_well = entry.code is None
                made = Counts(
                    images=went_well and entry.kind is MediaKind.IMAGE,
                    videos=went_well and entry.kind is MediaKind.VIDEO,
                    succeeded=went_well,
                    errors=not went_well,
                )
                counts[entry.account_id] = counts.get(entry.account_id, Counts()) + made
                last[entry.account_id] = max(entry.at, last.get(entry.account_id, entry.at))
        return AccountUse(counts, last)

    def _found(self, wanted: AccountFilter, now: datetime) -> Sequence[Account]:
        text = (wanted.text or "")[:LONGEST_SEARCH].lower()
        return [
            account
            for _, account in sorted(self._tables.accounts.items())
            if any(text in (field or "").lower() for field in (account.email, account.name, account.remark))
            if wanted.status is None or account.status(now) is wanted.status
            if wanted.tag is None or wanted.tag in account.tags
        ]


class FakeGenerations:
    """Generations and claims in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, generations: Sequence[Generation], claim: IdempotencyClaim | None = None) -> None:
        self._tables.writing()
        held = None if claim is None else await self.claimed(claim.key_id, claim.idempotency_key)
        if claim is not None and held is not None and held.group_id != claim.in_place_of:
            raise ConflictError("This Idempotency-Key is in use by another request.")
        if any(generation.id in self._tables.generations for generation in generations):
            raise ConflictError("A generation with this id exists already.")
        self._tables.generations.update({generation.id: generation for generation in generations})
        if claim is not None:
            self._tables.claims[claim.key_id, claim.idempotency_key] = replace(claim, in_place_of=None)

    async def save(self, generation: Generation, media: Sequence[Media] = ()) -> bool:
        self._tables.writing()
        kept = self._tables.generations.get(generation.id)
        if kept is None or kept.fence > generation.fence:
            return False
        _add_media(self._tables, media)
        if kept.owner is not None and kept.owner == generation.owner and generation.lease_until is not None:
            generation = replace(generation, lease_until=max(kept.lease_until or _NEVER, generation.lease_until))
        self._tables.generations[generation.id] = generation
        return True

    async def get(self, generation_id: str) -> Generation | None:
        return self._tables.generations.get(generation_id)

    async def of_group(self, group_id: str) -> Sequence[Generation]:
        return [generation for generation in self._tables.generations.values() if generation.group_id == group_id]

    async def claimed(self, key_id: int | None, idempotency_key: str) -> IdempotencyClaim | None:
        claim = self._tables.claims.get((key_id, idempotency_key))
        return claim if claim is not None and claim.expires_at > self._tables.now() else None

    async def repeated(self, key_id: int | None, body_digest: bytes, *, ended_since: datetime) -> Sequence[Generation]:
        found = [
            one
            for one in self._tables.generations.values()
            if (one.key_id, one.body_digest) == (key_id, body_digest)
            and one.deleted_at is None
            and (one.ended_at is None or one.ended_at > ended_since)
        ]
        return await self.of_group(found[-1].group_id) if found else []

    async def page(
        self, *, key_id: int | None, kind: MediaKind, after: str | None, limit: int, newest_first: bool
    ) -> Page[Generation]:
        mine = [item for item in self._tables.generations.values() if (item.key_id, item.kind) == (key_id, kind)]
        places = {item.id: (item.created_at, place) for place, item in enumerate(self._tables.generations.values())}
        mine.sort(key=lambda item: places[item.id], reverse=newest_first)
        if after is not None:
            ids = [item.id for item in mine]
            mine = mine[ids.index(after) + 1 :] if after in ids else []
        now = self._tables.now()
        shown = [
            item for item in mine if item.deleted_at is None and (item.expires_at is None or item.expires_at > now)
        ]
        return Page(tuple(shown[:limit]), has_more=len(shown) > limit)

    async def renew(self, owner: str, seconds: float) -> int:
        self._tables.writing()
        until = self._tables.now() + timedelta(seconds=seconds)
        held = [generation for generation in self._unfinished() if generation.owner == owner]
        self._tables.generations.update({one.id: replace(one, lease_until=until) for one in held})
        return len(held)

    async def held(self, owner: str) -> Sequence[str]:
        return [generation.id for generation in self._unfinished() if generation.owner == owner]

    async def take_over(self, owner: str, seconds: float, limit: int) -> Sequence[Generation]:
        self._tables.writing()
        now = self._tables.now()
        left = [item for item in self._unfinished() if item.lease_until is None or item.lease_until < now]
        taken = [
            replace(
                generation,
                owner=owner,
                lease_until=now + timedelta(seconds=seconds),
                fence=generation.fence + 1,
                rescues=generation.rescues + (generation.owner is not None),
            )
            for generation in sorted(left, key=lambda item: item.created_at)[:limit]
        ]
        self._tables.generations.update({generation.id: generation for generation in taken})
        return taken

    async def release(self, owner: str) -> None:
        self._tables.writing()
        for generation in self._unfinished():
            if generation.owner == owner:
                self._tables.generations[generation.id] = replace(generation, owner=None, lease_until=None)

    def _unfinished(self) -> Sequence[Generation]:
        return [generation for generation in self._tables.generations.values() if not generation.state.is_final]


class FakeGenerationDirectory:
    """Looks through the generations in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def page(
        self, wanted: GenerationFilter, *, after: str | None, limit: int, before: str | None = None
    ) -> Page[Generation]:
        newest_first = [*self._tables.generations.values()][::-1]
        ids = [one.id for one in newest_first]
        if after is not None:
            newest_first = newest_first[ids.index(after) + 1 :] if after in ids else []
        if before is not None:
            newest_first = newest_first[: ids.index(before)] if before in ids else []
        found = [
            one
            for one in newest_first
            if wanted.key_id in (None, one.key_id)
            and wanted.account_id in (None, one.account_id)
            and wanted.kind in (None, one.kind)
            and wanted.state in (None, one.state)
            and wanted.model in (None, one.model)
            and wanted.code in (None, one.fault and one.fault.code)
            and wanted.parent_id in (None, one.parent_id)
            and (wanted.since is None or one.created_at >= wanted.since)
            and not (wanted.is_operators and one.key_id is not None)
            and not (wanted.is_unfinished and one.state.is_final)
            and (wanted.kept_at is None or _is_kept(one, wanted.kept_at))
        ]
        return Page(tuple(found[:limit] if before is None else found[-limit:]), has_more=len(found) > limit)


def _is_kept(one: Generation, now: datetime) -> bool:
    is_expired = one.expires_at is not None and one.expires_at <= now
    return one.state is State.COMPLETED and one.deleted_at is None and not is_expired


class FakeMediaIndex:
    """What is known of media, in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def add(self, media: Sequence[Media]) -> None:
        self._tables.writing()
        _add_media(self._tables, media)

    async def get(self, media_ids: Sequence[str]) -> Sequence[Media]:
        return [self._tables.media[media_id] for media_id in media_ids if media_id in self._tables.media]

    async def expired(self, now: datetime, limit: int) -> Sequence[Media]:
        expired = [media for media in self._tables.media.values() if media.is_expired(now)]
        return sorted(expired, key=lambda media: (media.expires_at or now, media.id))[:limit]

    async def remove(self, media_ids: Sequence[str]) -> Sequence[str]:
        self._tables.writing()
        removed = [self._tables.media.pop(media_id) for media_id in media_ids if media_id in self._tables.media]
        kept = {media.sha256 for media in self._tables.media.values()}
        return sorted({media.sha256 for media in removed} - kept)

    async def named(self, digests: Sequence[str]) -> frozenset[str]:
        return frozenset(digests) & {media.sha256 for media in self._tables.media.values()}


class FakeChangeFeed:
    """The change feed in memory; every change is its own."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def latest(self) -> int:
        return self._tables.changes[-1].number if self._tables.changes else 0

    async def since(self, number: int, limit: int = 1000) -> Sequence[Change]:
        return [change for change in self._tables.changes if change.number > number][:limit]


class FakeOptionValues:
    """Options in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def read(self) -> Mapping[str, object]:
        return dict(self._tables.options)

    async def write(self, values: Mapping[str, object], who: str, audit: AuditEntry | None = None) -> None:
        self._tables.writing(audit)
        for name, value in values.items():
            self._tables.options.pop(name, None)
            if value is not None:
                self._tables.options[name] = value
            self._tables.note("options", name)
        if values:
            self._tables.note_audit(audit)


class FakeJournal:
    """Takes entries in at once."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def note(self, entry: LogEntry) -> None:
        self._tables.log.append(entry)
        self._tables.records.take(entry)


class FakeHealthLog:
    """Timelines in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def note(self, event: HealthEvent) -> None:
        self._tables.health.append(replace(event, number=self._tables.new_id("health")))

    async def page(self, account_id: int, *, before: int | None = None, limit: int) -> Page[HealthEvent]:
        mine = [one for one in reversed(self._tables.health) if one.account_id == account_id]
        behind = [one for one in mine if before is None or one.number < before]
        return Page(tuple(behind[:limit]), has_more=len(behind) > limit)

    async def forget(self, before: datetime) -> int:
        self._tables.writing()
        kept = [one for one in self._tables.health if one.at >= before]
        forgotten = len(self._tables.health) - len(kept)
        self._tables.health[:] = kept
        return forgotten


class FakePastRequests:
    """Tells of the generations in memory."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    async def between(self, start: datetime, end: datetime) -> AsyncIterator[Sequence[PastRequest]]:
        found = [one for one in self._tables.generations.values() if start <= one.created_at < end]
        for one in sorted(found, key=lambda one: one.created_at):
            ran = one.started_at is not None and one.ended_at is not None
            held_s = (one.ended_at - one.started_at).total_seconds() if ran else None  # type: ignore[operator]
            first = one.inputs[0].media_id if one.inputs else None
            yield [PastRequest(one.created_at, one.spec_name, one.key_id, first, held_s)]


class FakeStorage:
    """The whole storage in memory. It needs no `open`, but counts it.

    Args:
        clock: The clock that leases, claims and everything else go by; the time of day when none is given.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.tables = Tables(clock.now if clock is not None else lambda: datetime.now(UTC))
        self.accounts: Accounts = FakeAccounts(self.tables)
        self.directory: AccountDirectory = FakeAccountDirectory(self.tables)
        self.vault: CredentialVault = FakeCredentialVault(self.tables)
        self.api_keys: ApiKeys = FakeApiKeys(self.tables)
        self.operators: Operators = FakeOperators(self.tables)
        self.sessions: Sessions = FakeSessions(self.tables)
        self.sign_in_tries: SignInTries = FakeSignInTries(self.tables)
        self.audit_log: AuditLog = FakeAuditLog(self.tables)
        self.connection_tokens: ConnectionTokens = FakeConnectionTokens(self.tables)
        self.inheritance: Inheritance = FakeInheritance(self.tables)
        self.proxies: Proxies = FakeProxies(self.tables)
        self.generations: Generations = FakeGenerations(self.tables)
        self.generation_directory: GenerationDirectory = FakeGenerationDirectory(self.tables)
        self.media: MediaIndex = FakeMediaIndex(self.tables)
        self.changes: ChangeFeed = FakeChangeFeed(self.tables)
        self.options: OptionValues = FakeOptionValues(self.tables)
        self.journal: Journal = FakeJournal(self.tables)
        self.request_log: RequestLog = FakeRequestLog(self.tables.records)
        self.statistics: Statistics = FakeStatistics(self.tables.records)
        self.notify_targets: NotifyTargets = FakeNotifyTargets(self.tables)
        self.told_notices: ToldNotices = FakeToldNotices(self.tables)
        self.webhooks: Webhooks = FakeWebhooks(self.tables)
        self.deliveries: Deliveries = FakeDeliveries(self.tables)
        self.past_requests: PastRequests = FakePastRequests(self.tables)
        self.health: HealthLog = FakeHealthLog(self.tables)
        self.opened = 0
        self.closed = 0

    async def open(self) -> None:
        self.opened += 1

    async def ping(self) -> None:
        if self.tables.fault is not None:
            raise self.tables.fault

    async def aclose(self) -> None:
        self.closed += 1

    def peek_options(self) -> Mapping[str, object]:
        return dict(self.tables.options)


_NEVER = datetime.min.replace(tzinfo=UTC)


def _add_media(tables: Tables, media: Iterable[Media]) -> None:
    media = tuple(media)
    if any(item.id in tables.media for item in media):
        raise ConflictError("A media with this id exists already.")
    tables.media.update({item.id: item for item in media})


def _is_a_storage(fake: FakeStorage) -> Storage:
    return fake
