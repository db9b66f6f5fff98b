"""The rows of an import, and the count of what becomes of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from flow2api.domain.account import Account, Place
from flow2api.domain.media import MediaKind
from flow2api.domain.secret import Secret

SHORTEST_SHOWN = 24
"""Of a secret that is shorter, four characters would tell too much."""

_TOLD = ("name", "email", "remark", "tags", "weight", "priority", "proxy", "base_url", "capacity", "rests")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedAccount:
    """An account as an import states it. What is None is left as it is, or takes the default in a new account.

    Attributes:
        session_token: For upstreams with API keys, the key.
        base_url: Where the account is served, as `read_base_url` gives it; None for upstreams that know that themselves.
        is_enabled: False puts the account to rest by the operator's hand, True lifts such a rest.
        limits: How many generations at once, by kind; None is no limit. A kind that is missing is left as it is.
        proxy: The proxy or the pool that it uses, ``direct`` for none, ``global`` for what the option ``proxy`` says.
            Whether there is one of this name is looked at before.
    """

    session_token: Secret
    upstream: str = "flow"
    base_url: str | None = None
    email: str | None = None
    name: str | None = None
    remark: str | None = None
    is_enabled: bool | None = None
    limits: Mapping[MediaKind, int | None] = field(default_factory=dict)
    tags: frozenset[str] | None = None
    weight: int | None = None
    priority: int | None = None
    proxy: str | None = None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of an import. Each row counts once; a line without one does not.

    Attributes:
        errors: For each bad row its number, from 1, and what is wrong with it; no secret is in it.
    """

    added: int
    updated: int
    unchanged: int
    errors: tuple[tuple[int, str], ...]


class RowFate(StrEnum):
    """What becomes of a row."""

    NEW = "new"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    INVALID = "invalid"


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What becomes of one row.

    Attributes:
        row: Its number, from 1.
        subject: The name or the address of the account, as far as the row says it or the account is known; else empty.
        ending: What its secret ends with, for people to recognise it; empty when it is too short for that.
        changed: What the row changes in an account that is known, by field; ``secret`` stands for what it signs in with.
        problem: What is wrong with a row that is invalid; no secret is in it.
    """

    row: int
    fate: RowFate
    subject: str = ""
    ending: str = ""
    account_id: int | None = None
    changed: tuple[str, ...] = ()
    problem: str = ""


@dataclass(slots=True)
class Tally:
    """What came of the rows so far.

    Attributes:
        unit: What a row is called.
        on_outcome: Told of each row; None when nobody asks.
        tokens: By a session token's fingerprint and where it is good the row that first had it, and its e-mail address.
        emails: The row that first had an address.
        accounts: The row that was about an account.
    """

    unit: str
    on_outcome: Callable[[RowOutcome], None] | None = None
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)
    tokens: dict[tuple[bytes, Place], tuple[int, str | None]] = field(default_factory=dict)
    emails: dict[tuple[str, str], int] = field(default_factory=dict)
    accounts: dict[int, int] = field(default_factory=dict)

    def report(self) -> ImportReport:
        """All of it."""
        return ImportReport(self.added, self.updated, self.unchanged, tuple(self.errors))

    def add(self, number: int, row: ImportedAccount, account: Account) -> None:
        """The row is a new account."""
        self.added += 1
        self._tell(number, RowFate.NEW, row, account)

    def update(self, number: int, row: ImportedAccount, before: Account, after: Account, *, is_new_token: bool) -> None:
        """The row changes an account."""
        self.updated += 1
        if self.on_outcome is not None:
            changed = [name for name in _TOLD if getattr(before, name) != getattr(after, name)]
            self._tell(
                number, RowFate.UPDATE, row, before, changed=("secret", *changed) if is_new_token else (*changed,)
            )

    def keep(self, number: int, row: ImportedAccount, account: Account | None = None) -> None:
        """The row says nothing new."""
        self.unchanged += 1
        self._tell(number, RowFate.UNCHANGED, row, account)

    def refuse(self, number: int, problem: str, row: ImportedAccount | None = None) -> None:
        """The row cannot be used."""
        self.errors.append((number, problem))
        self._tell(number, RowFate.INVALID, row, problem=problem)

    def _tell(
        self,
        number: int,
        fate: RowFate,
        row: ImportedAccount | None,
        account: Account | None = None,
        *,
        changed: tuple[str, ...] = (),
        problem: str = "",
    ) -> None:
        if self.on_outcome is None:
            return
        told = [] if account is None else [account.name, account.email]
        told += [] if row is None else [row.name, row.email]
        self.on_outcome(
            RowOutcome(
                row=number,
                fate=fate,
                subject=next((text for text in told if text), ""),
                ending="" if row is None else row.session_token.ending(4, SHORTEST_SHOWN),
                account_id=None if account is None else account.id or None,
                changed=changed,
                problem=problem,
            )
        )
