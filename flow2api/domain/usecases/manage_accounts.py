"""What an operator does with accounts: add, import, enable, disable, refresh, export, remove."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from flow2api.domain.account import Account, Capacity, Credentials, Cure, RestReason, fold_email
from flow2api.domain.errors import ConflictError, UnsupportedInputError
from flow2api.domain.ports.storage import Accounts, CredentialVault
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret

_BATCH = 1000
_SHORTEST_SESSION_TOKEN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """An account as the operator gives it."""

    session_token: Secret
    upstream: str = "flow"
    name: str = ""
    email: str | None = None
    remark: str = ""
    capacity: Capacity = field(default_factory=Capacity)
    is_enabled: bool = True
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of an import.

    Attributes:
        errors: For each bad row its number, from 1, and what is wrong with it; no secret is in it.
    """

    added: int
    updated: int
    unchanged: int
    errors: tuple[tuple[int, str], ...]


class ManageAccounts:
    """Changes to accounts that come from people, not from the upstream. None of them calls the upstream."""

    def __init__(self, accounts: Accounts, vault: CredentialVault, clock: Clock) -> None:
        self._accounts = accounts
        self._vault = vault
        self._clock = clock

    async def all(self) -> Sequence[Account]:
        """Every account, in the order of ids."""
        return [account async for batch in self._accounts.load() for account in batch]

    async def find(self, which: str) -> Account:
        """The account with this id, e-mail address or name.

        Raises:
            ConflictError: There is none, or more than one has this name.
        """
        found = [
            one
            for one in await self.all()
            if which == str(one.id) or (one.email is not None and fold_email(which) == one.email) or which == one.name
        ]
        if len(found) != 1:
            many = "more than one account" if found else "no account"
            raise ConflictError(f"There is {many} {which!r}; `flow2api accounts list` shows them with their ids.")
        return found[0]

    async def add(self, new: NewAccount) -> Account:
        """Store one account; the keeper warms it.

        Raises:
            UnsupportedInputError: The session token cannot be one.
            ConflictError: An account with this session token or e-mail address exists.
        """
        check_session_token(new)
        if await self._vault.find([new.session_token]):
            raise ConflictError("An account with this session token exists already.")
        email = None if new.email is None else fold_email(new.email)
        if email is not None and any(one.email == email for one in await self.all()):
            raise ConflictError(f"An account with the address {email} exists already; give it the new session token.")
        return (await self._accounts.add([self._made(new)]))[0]

    async def import_all(
        self,
        rows: Sequence[NewAccount | str],
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> ImportReport:
        """Store many accounts; a bad row never stops the others. An account whose address is known gets the new token.

        Args:
            rows: Accounts, or for a row that could not be read the sentence that says why.
            on_progress: Told how many rows are done.
        """
        known = {one.email: one for one in await self.all() if one.email is not None}
        tally = _Tally()
        for start in range(0, len(rows), _BATCH):
            part = rows[start : start + _BATCH]
            await self._import_part(part, start + 1, known, tally)
            on_progress(start + len(part))
        return ImportReport(tally.added, tally.updated, tally.unchanged, tuple(tally.errors))

    async def set_enabled(self, account: Account, *, enabled: bool) -> Account:
        """Let the operator switch an account on or off; other reasons for rest stay."""
        now = self._clock.now()
        changed = account.cured(Cure.OPERATOR) if enabled else account.resting(RestReason.MANUAL, now)
        await self._accounts.save(changed)
        return changed

    async def remove(self, account: Account) -> None:
        """Forget the account and its secrets."""
        await self._accounts.remove(account.id)

    async def secrets_of(self, account: Account) -> Credentials | None:
        """Its secrets, for an export that the operator asked for."""
        return await self._vault.read(account.id)

    async def _import_part(
        self, part: Sequence[NewAccount | str], first: int, known: dict[str, Account], tally: "_Tally"
    ) -> None:
        tokens = await self._vault.find([row.session_token for row in part if isinstance(row, NewAccount)])
        fresh: list[tuple[Account, Credentials]] = []
        for number, row in enumerate(part, first):
            if isinstance(row, str):
                tally.errors.append((number, row))
                continue
            try:
                check_session_token(row)
            except UnsupportedInputError as error:
                tally.errors.append((number, error.message))
                continue
            email = None if row.email is None else fold_email(row.email)
            if row.session_token in tokens or row.session_token in tally.seen:
                tally.unchanged += 1
            elif email is not None and email in known and known[email].id:
                await self._replace_token(known[email], row)
                tally.updated += 1
            elif email is not None and email in known:
                tally.errors.append((number, f"The address {email} stands in an earlier row, too."))
            else:
                made = self._made(row)
                fresh.append(made)
                if email is not None:
                    known[email] = made[0]
                tally.added += 1
            tally.seen.add(row.session_token)
        for stored in await self._accounts.add(fresh) if fresh else ():
            if stored.email is not None:
                known[stored.email] = stored

    async def _replace_token(self, account: Account, row: NewAccount) -> None:
        renewed = replace(account, access_expires_at=None, access_obtained_at=None).cured(Cure.NEW_CREDENTIAL)
        await self._vault.write(renewed, Credentials(row.session_token))

    def _made(self, new: NewAccount) -> tuple[Account, Credentials]:
        now = self._clock.now()
        account = Account(
            id=0,
            upstream=new.upstream,
            name=new.name or (new.email or ""),
            email=None if new.email is None else fold_email(new.email),
            remark=new.remark,
            capacity=new.capacity,
            tags=new.tags,
            created_at=now,
        )
        if not new.is_enabled:
            account = account.resting(RestReason.MANUAL, now)
        return account, Credentials(new.session_token)


@dataclass(slots=True)
class _Tally:
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)
    seen: set[Secret] = field(default_factory=set)


def check_session_token(new: NewAccount) -> None:
    """Refuse what cannot be a session token of Flow: it was cut off while pasting.

    Raises:
        UnsupportedInputError: It is too short.
    """
    if new.upstream == "flow" and len(new.session_token) < _SHORTEST_SESSION_TOKEN:
        raise UnsupportedInputError(
            f"The session token has {len(new.session_token)} characters; a whole one has {_SHORTEST_SESSION_TOKEN} or more.",
            param="session_token",
        )
