"""How accounts and keys are called where generations tell of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext
from flow2api.domain.account import Account


@dataclass(frozen=True, slots=True)
class Named:
    """A thing by its name, and where its page is; empty when it has none (any more)."""

    words: str
    path: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """Keys by id, and accounts as this process knows them."""

    keys: Mapping[int, str]
    account_of: Callable[[int], Account | None]

    def account(self, account_id: int | None) -> Named:
        """The account of this id."""
        if account_id is None:
            return Named("")
        found = self.account_of(account_id)
        if found is None:
            return Named(gettext("removed (no. %(id)s)") % {"id": account_id})
        words = found.name or found.email or gettext("no. %(id)s") % {"id": account_id}
        return Named(words, f"/console/accounts/{account_id}")

    def key(self, key_id: int | None) -> Named:
        """The API key of this id; without one it was the operator."""
        if key_id is None:
            return Named(gettext("operator"))
        name = self.keys.get(key_id)
        return Named(gettext("key %(id)s") % {"id": key_id}) if name is None else Named(name, "/console/keys")


async def names_of(doors: ConsoleDoors) -> Names:
    """The names as they are now."""
    return Names({key.id: key.name for key in await doors.keys.all()}, doors.account_of)
