"""Brings the accounts of the old server over, each Google account once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from flow2api.domain.account import Account, Capacity, Credentials, Cure, RestReason, fold_email
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import UnsupportedInputError
from flow2api.domain.legacy import SOURCE, LegacyAccount, LegacyProject, TableReport
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import Accounts, CredentialVault
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.find_owners import find_owners
from flow2api.domain.usecases.manage_accounts import check_session_token, check_texts, is_workspace

BAN = timedelta(hours=12)
"""How long the old server's ban for a rate limit lasted."""

UPSTREAM = "flow"

_BATCH = 1000
_OLDEST = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Heir:
    """The account here that a row of the old server belongs to.

    Attributes:
        since: When the old server got to know it.
    """

    account_id: int
    since: datetime


@dataclass(slots=True)
class _Tally:
    report: TableReport
    renewed: int = 0
    unbanned: int = 0
    off: int = 0
    heirs: dict[int, Heir] = field(default_factory=dict)

    def notes(self) -> Sequence[str]:
        """What the operator should look at."""
        told = (
            (
                self.off,
                "accounts were switched off there and are so here; `flow2api accounts enable` switches them on.",
            ),
            (self.unbanned, "accounts were off there for a rate limit that is over by now; they are on here."),
            (self.renewed, "accounts here had an ended session and got the session token of the file."),
        )
        return [f"{many:,} {sentence}" for many, sentence in told if many]


class InheritAccounts:
    """Stores what is new. An account that is here already stays as it is; an ended session alone is replaced."""

    def __init__(self, accounts: Accounts, vault: CredentialVault, clock: Clock, actor: Actor | None = None) -> None:
        self._accounts = accounts
        self._vault = vault
        self._clock = clock
        self._actor = actor

    async def __call__(
        self, rows: Sequence[LegacyAccount | None], projects: Sequence[LegacyProject], report: TableReport
    ) -> tuple[Mapping[int, Heir], Sequence[str]]:
        """Bring the rows over.

        Args:
            rows: All of them; None for a damaged one.
            projects: Where an account without a current project finds one.
            report: What comes of each row is counted there.

        Returns:
            Which account belongs to which row, by the row's id; and notes for the operator.
        """
        tally = _Tally(report)
        usable = [row for row in rows if _is_usable(row, tally)]
        chosen, namesakes = _once_each([row for row in usable if row is not None], tally)
        workspaces = newest_projects(projects)
        for start in range(0, len(chosen), _BATCH):
            part = chosen[start : start + _BATCH]
            tokens = [_token_of(row) for row in part]
            owners = await find_owners(self._vault, self._accounts, tokens, (UPSTREAM, None))
            known = await self._known(part)
            new = [row for row in part if not await self._is_known(row, owners, known, tally)]
            await self._add(new, workspaces, tally)
        tally.heirs.update({number: tally.heirs[main] for number, main in namesakes.items()})
        return tally.heirs, tally.notes()

    async def _known(self, rows: Sequence[LegacyAccount]) -> dict[str, Account]:
        found = await self._accounts.with_emails([row.email for row in rows if row.email])
        return {one.email: one for one in found if one.email is not None and one.upstream == UPSTREAM}

    async def _is_known(
        self, row: LegacyAccount, owners: Mapping[Secret, int], known: Mapping[str, Account], tally: _Tally
    ) -> bool:
        token = _token_of(row)
        namesake = known.get(row.email or "")
        owner = owners.get(token, None if namesake is None else namesake.id)
        if owner is None:
            return False
        if namesake is not None and token not in owners and namesake.rest_of(RestReason.AUTH_EXPIRED) is not None:
            entry = self._entry(namesake.id, {"after": {"session_token": "new"}})
            await self._vault.write(namesake.id, Credentials(token), _unproven, lambda _: entry)
            tally.renewed += 1
        tally.report.known += 1
        tally.heirs[row.number] = Heir(owner, row.created_at or self._clock.now())
        return True

    async def _add(self, rows: Sequence[LegacyAccount], workspaces: Mapping[int, str], tally: _Tally) -> None:
        made = [
            (self._account(row, row.workspace or workspaces.get(row.number), tally), Credentials(_token_of(row)))
            for row in rows
        ]
        if not made:
            return
        added = await self._accounts.add(made, self._entry(None, {"added": len(made), "from": SOURCE}))
        tally.report.added += len(added)
        tally.heirs.update(
            {row.number: Heir(account.id, account.created_at) for row, account in zip(rows, added, strict=True)}
        )

    def _entry(self, account_id: int | None, details: Mapping[str, object]) -> AuditEntry | None:
        if self._actor is None:
            return None
        subject = None if account_id is None else str(account_id)
        action = AuditAction.ACCOUNTS_IMPORTED
        return AuditEntry(at=self._clock.now(), actor=self._actor, action=action, subject=subject, details=details)

    def _account(self, row: LegacyAccount, workspace: str | None, tally: _Tally) -> Account:
        now = self._clock.now()
        account = Account(
            id=0,
            upstream=UPSTREAM,
            name=row.name or row.email or "",
            created_at=min(row.created_at or now, now),
            email=row.email,
            remark=row.remark,
            tier=row.tier,
            credits=row.credits,
            capacity=Capacity(row.limits.get(MediaKind.IMAGE), row.limits.get(MediaKind.VIDEO)),
        )
        if workspace and is_workspace(workspace):
            account = account.working_in(workspace, row.workspace_name if workspace == row.workspace else None)
        return self._rested(account, row, now, tally) if row.is_active is False else account

    def _rested(self, account: Account, row: LegacyAccount, now: datetime, tally: _Tally) -> Account:
        """The account with what kept it from work there."""
        if row.ban_reason is None or "429" not in row.ban_reason:
            tally.off += 1
            return account.resting(RestReason.MANUAL, now, why=row.ban_reason or "off in the old server")
        since = min(row.banned_at or now, now)
        if since + BAN <= now:
            tally.unbanned += 1
            return account
        return account.resting(RestReason.RATE_LIMITED, since, until=since + BAN, why="rate limit in the old server")


def _is_usable(row: LegacyAccount | None, tally: _Tally) -> bool:
    if row is None:
        tally.report.skip("The row is damaged.", None)
        return False
    if row.session_token is None:
        tally.report.skip(row.fault, row.number)
        return False
    try:
        check_session_token(UPSTREAM, row.session_token)
    except UnsupportedInputError:
        tally.report.skip("The session token is too short or too long to be one.", row.number)
        return False
    return True


def _once_each(rows: Sequence[LegacyAccount], tally: _Tally) -> tuple[list[LegacyAccount], dict[int, int]]:
    """Of rows with the same address or session token, the one that is likeliest to work; and for each other one which.

    The old server took a Google account with another session token for another account.
    """
    ranked = sorted((_with_address(row) for row in rows), key=_rank)
    by_email: dict[str, int] = {}
    by_token: dict[Secret, int] = {}
    chosen, namesakes = [], {}
    for row in ranked:
        main = by_token.get(_token_of(row)) or by_email.get(row.email or "")
        if main is not None:
            namesakes[row.number] = main
            tally.report.skip(
                "Another row has the same address or session token; what it did counts there.", row.number
            )
            continue
        chosen.append(row)
        by_token[_token_of(row)] = row.number
        if row.email is not None:
            by_email[row.email] = row.number
    return sorted(chosen, key=lambda row: row.number), namesakes


def _rank(row: LegacyAccount) -> tuple[bool, float, int]:
    return row.is_active is False, -(row.last_used_at or _OLDEST).timestamp(), -row.number


def _with_address(row: LegacyAccount) -> LegacyAccount:
    """The row with its address as we compare it; one that is none is left out."""
    if row.email is None:
        return row
    try:
        check_texts(email=row.email, name="", remark="", tags=frozenset())
    except UnsupportedInputError:
        return replace(row, email=None)
    return replace(row, email=fold_email(row.email))


def newest_projects(projects: Sequence[LegacyProject]) -> Mapping[int, str]:
    """The newest project of each account that is in use."""
    ordered = sorted(projects, key=lambda one: (one.is_active, one.created_at or _OLDEST))
    return {one.account: one.workspace for one in ordered if one.is_active}


def _unproven(account: Account) -> Account:
    """The account with a session token that nobody has tried yet."""
    return replace(account, access_expires_at=None, access_obtained_at=None).cured(Cure.NEW_CREDENTIAL)


def _token_of(row: LegacyAccount) -> Secret:
    assert row.session_token is not None  # noqa: S101 - rows without one are left out first
    return row.session_token
