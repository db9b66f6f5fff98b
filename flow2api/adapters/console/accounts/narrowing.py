"""What a list of accounts is narrowed and sorted by: read from the address of the page, and written into its links."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flow2api.domain.account import Tier
from flow2api.domain.account_list import LONGEST_TEXT, AccountOrder, ListPlace, PoolFilter
from flow2api.domain.account_state import AccountState
from flow2api.domain.errors import UnsupportedInputError

PATH = "/console/accounts"
OWN_PROXY_NONE = "-"
"""Stands in addresses for accounts that have no proxy of their own."""

FIELDS = ("q", "state", "tag", "upstream", "proxy", "plan", "sort", "hide")
COLUMNS = ("checks", "images", "videos", "credits", "access", "proxy", "tags", "error")
"""What the table shows beside name and state; the address names those that are hidden."""

SORTS = {
    "name": (AccountOrder.NAME, False),
    "-name": (AccountOrder.NAME, True),
    "state": (AccountOrder.STATE, False),
    "-state": (AccountOrder.STATE, True),
    "busy": (AccountOrder.LEAST_BUSY, False),
    "-busy": (AccountOrder.BUSIEST, False),
    "credits": (AccountOrder.CREDITS, False),
    "-credits": (AccountOrder.CREDITS, True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What stands in the address; an empty text narrows nothing. What makes no sense there is taken for empty.

    Attributes:
        hide: The columns that are not shown, with commas between, in the order of `COLUMNS`.
        after: The place behind which the page begins; ``before`` the one in front of which it ends.
    """

    q: str = ""
    state: str = ""
    tag: str = ""
    upstream: str = ""
    proxy: str = ""
    plan: str = ""
    sort: str = "name"
    hide: str = ""
    after: str = ""
    before: str = ""

    @property
    def wanted(self) -> PoolFilter:
        """The filter."""
        return PoolFilter(
            text=self.q or None,
            state=AccountState(self.state) if self.state else None,
            tag=self.tag or None,
            upstream=self.upstream or None,
            proxy=None if not self.proxy else "" if self.proxy == OWN_PROXY_NONE else self.proxy,
            tier=Tier[self.plan.upper()] if self.plan else None,
        )

    @property
    def order(self) -> tuple[AccountOrder, bool]:
        """By what the list is sorted, and whether the greatest comes first."""
        return SORTS[self.sort]

    @property
    def place(self) -> tuple[ListPlace | None, ListPlace | None]:
        """Where the page begins, or ends; neither for the first page, and for a place that is none."""
        return _place(self.after, self.order[0]), _place(self.before, self.order[0])

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are shown beside name and state."""
        return tuple(one for one in COLUMNS if one not in self.hide.split(","))

    def switched(self, column: str) -> str:
        """The address with this column shown if it is hidden, and hidden if it is shown; the place stays."""
        shown = set(self.columns) ^ {column}
        hidden = ",".join(one for one in COLUMNS if one not in shown)
        return self.link(hide=hidden, after=self.after, before=self.before)

    @property
    def is_narrowed(self) -> bool:
        """Whether it keeps any account out."""
        return any((self.q, self.state, self.tag, self.upstream, self.proxy, self.plan))

    def fields(self) -> Mapping[str, str]:
        """What forms carry on: all but the place."""
        return {name: value for name in FIELDS if (value := getattr(self, name)) and (name, value) != ("sort", "name")}

    def link(self, **changes: str) -> str:
        """The address with something else in it; the place is forgotten unless it is given."""
        changed = replace(self, **{"after": "", "before": "", **changes})
        place = {name: value for name in ("after", "before") if (value := getattr(changed, name))}
        query = urlencode({**changed.fields(), **place})
        return f"{PATH}?{query}" if query else PATH


def narrowing(value: Callable[[str], str]) -> Narrowing:
    """What an address, or a form, says.

    Args:
        value: Gives a value by its name; an empty one where there is none.
    """
    state, plan, sort = value("state"), value("plan").lower(), value("sort")
    return Narrowing(
        q=value("q").strip()[:LONGEST_TEXT],
        state=state if state in tuple(AccountState) else "",
        tag=value("tag"),
        upstream=value("upstream"),
        proxy=value("proxy"),
        plan=plan if plan.upper() in Tier.__members__ else "",
        sort=sort if sort in SORTS else "name",
        hide=",".join(one for one in COLUMNS if one in value("hide").split(",")),
        after=value("after"),
        before=value("before"),
    )


def _place(written: str, order: AccountOrder) -> ListPlace | None:
    try:
        return ListPlace.read(written, order) if written else None
    except UnsupportedInputError:
        return None
