"""What a page of generations is narrowed to; all of it stands in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from flow2api.adapters.console.generations.names import Names
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.visit import Visit
from flow2api.domain.errors import UpstreamStateUnknownError
from flow2api.domain.generation import Generation, State
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import GenerationFilter
from flow2api.domain.prompt_search import LONGEST_TEXT, has_words, words_of

LIVE = "/console/generations"
GALLERY = "/console/generations/gallery"

UNDER_WAY = ("", "queued", "running", "retrying")
ENDED = {
    "failed": GenerationFilter(state=State.FAILED),
    "completed": GenerationFilter(state=State.COMPLETED),
    "cancelled": GenerationFilter(state=State.CANCELLED),
    "unknown": GenerationFilter(state=State.FAILED, code=UpstreamStateUnknownError.code),
}
SPANS = {"1h": timedelta(hours=1), "24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30)}

_NAMES = ("state", "q", "kind", "model", "account", "key", "span", "after", "before")
_NARROWING = ("q", "kind", "model", "account", "key", "span")
_NOBODY = -1


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is set, in words, and the address without it."""

    words: str
    value: str
    without: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The query of a page.

    Attributes:
        q: Words of the prompt.
        account_id: That of the account that was named; -1 when there is no such account.
        key_id: The same for the API key; 0 stands for the operator.
    """

    base: str
    state: str = ""
    q: str = ""
    kind: str = ""
    model: str = ""
    account: str = ""
    key: str = ""
    span: str = ""
    after: str = ""
    before: str = ""
    account_id: int | None = None
    key_id: int | None = None

    @property
    def is_narrowed(self) -> bool:
        """Whether anything besides the state is asked for."""
        return any((self.q, self.kind, self.model, self.account, self.key, self.span))

    @property
    def is_search(self) -> bool:
        """Whether words of prompts are looked for, in whatever state."""
        return bool(self.q) and not self.state

    @property
    def values(self) -> Mapping[str, str]:
        """What is set, by its name in the address."""
        return {name: value for name in _NAMES if (value := getattr(self, name))}

    @property
    def unfiltered(self) -> str:
        """This page with its state alone."""
        return self.path(**dict.fromkeys(_NARROWING, ""))

    def path(self, **changes: str) -> str:
        """This page narrowed otherwise, from its beginning unless the change says where."""
        kept = {name: value for name, value in self.values.items() if name not in ("after", "before")}
        query = {name: value for name, value in (kept | changes).items() if value}
        return f"{self.base}?{urlencode(query)}" if query else self.base

    def chips(self, names: Names) -> Sequence[Chip]:
        """What is set besides the state, in words."""
        account = names.account(self.account_id).words if (self.account_id or 0) > 0 else self.account
        key = names.key(self.key_id or None).words if self.key_id is not None and self.key_id >= 0 else self.key
        shown = (
            ("q", gettext("Prompt"), self.q),
            ("kind", gettext("Kind"), kind_words(self.kind)),
            ("model", gettext("Model"), self.model),
            ("account", gettext("Account"), account),
            ("key", gettext("Key"), key),
            ("span", gettext("Time"), span_words(self.span)),
        )
        return [Chip(words, text, self.path(**{name: ""})) for name, words, text in shown if getattr(self, name)]

    def wanted(self, now: datetime, base: GenerationFilter | None = None) -> GenerationFilter:
        """For the database.

        Args:
            base: What else is asked for.
        """
        base = base or GenerationFilter()
        return GenerationFilter(
            key_id=None if self.key_id == 0 else self.key_id,
            is_operators=self.key_id == 0,
            account_id=self.account_id,
            kind=MediaKind(self.kind) if self.kind else None,
            state=base.state,
            model=self.model or None,
            code=base.code,
            since=now - SPANS[self.span] if self.span else None,
            kept_at=base.kept_at,
        )

    def passes(self, generation: Generation, now: datetime) -> bool:
        """Whether one that is under way is wanted; the state aside."""
        return (
            has_words(generation.prompt, words_of(self.q))
            and (not self.kind or generation.kind.value == self.kind)
            and (not self.model or generation.model == self.model)
            and self.account_id in (None, generation.account_id)
            and self.key_id in (None, generation.key_id or 0)
            and (not self.span or generation.created_at >= now - SPANS[self.span])
        )


def filters_of(visit: Visit, base: str, names: Names) -> Filters:
    """What the address of the page asks for; what cannot be is left out."""
    values = {name: visit.query(name).strip() for name in _NAMES}
    values["q"] = values["q"][:LONGEST_TEXT]
    allowed = {"kind": [*MediaKind], "span": [*SPANS], "state": [*UNDER_WAY, *ENDED]}
    for name, among in allowed.items():
        if values[name] not in among:
            values[name] = ""
    return Filters(
        base=base,
        account_id=_account_id(visit, values["account"]),
        key_id=_key_id(names, values["key"]),
        **values,
    )


def kind_words(kind: str) -> str:
    """A kind of media in words."""
    return {"image": gettext("Images"), "video": gettext("Videos")}.get(kind, "")


def span_words(span: str) -> str:
    """A span of time in words."""
    return {
        "1h": gettext("last hour"),
        "24h": gettext("last 24 hours"),
        "7d": gettext("last 7 days"),
        "30d": gettext("last 30 days"),
    }.get(span, "")


def _account_id(visit: Visit, typed: str) -> int | None:
    """By its number, else by name or e-mail address."""
    if not typed:
        return None
    if typed.isascii() and typed.isdigit():
        return min(int(typed), 2**53)
    folded = typed.casefold()
    pool = visit.doors.pool
    return next((one.id for one in pool if folded in (one.name.casefold(), (one.email or "").casefold())), _NOBODY)


def _key_id(names: Names, typed: str) -> int | None:
    if not typed:
        return None
    if typed.isascii() and typed.isdigit():
        return min(int(typed), 2**53)
    return next((number for number, name in names.keys.items() if name == typed), _NOBODY)
