"""One search over what operators look for by name or id."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TypeVar

from flow2api.domain.account_list import ListedAccount, PoolFilter
from flow2api.domain.api_key import ApiKey
from flow2api.domain.generation import Generation
from flow2api.domain.options import Options
from flow2api.domain.ports.request_log import RequestLog
from flow2api.domain.ports.storage import ApiKeys, GenerationFilter, Generations
from flow2api.domain.request_log import LONGEST_TEXT, LogFilter
from flow2api.domain.usecases.browse_accounts import BrowseAccounts
from flow2api.domain.usecases.find_prompts import FindPrompts

MOST = 8
SHORTEST_ID = 4
SHORTEST_WORD = 3
"""Fewer letters of ASCII stand in nearly every prompt; a single character of Chinese may be a word."""
_LINES = 4 * MOST
_OPTIONS = tuple(one.name for one in fields(Options))

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """What was found, of each kind at most `MOST`.

    Attributes:
        generation_ids: Those whose id, or whose request's id, begins with the text; the newest first.
        prompts: Generations whose prompts have every word of the text; the newest first.
        looked_to: How far back prompts were looked through, where that ended before all were, and before enough were found.
        keys: Those whose name has the text, or which begin with it.
        options: Names of options.
    """

    accounts: Sequence[ListedAccount] = ()
    generation_ids: Sequence[str] = ()
    prompts: Sequence[Generation] = ()
    looked_to: datetime | None = None
    keys: Sequence[ApiKey] = ()
    options: Sequence[str] = ()

    def __bool__(self) -> bool:
        return any((self.accounts, self.generation_ids, self.prompts, self.keys, self.options))


class Search:
    """Looks through accounts and options in memory, for ids of generations along an index, for prompts among the newest.

    Args:
        has_option: Whether an option is shown to whoever searches.
    """

    def __init__(
        self,
        browse: BrowseAccounts,
        generations: Generations,
        request_log: RequestLog,
        keys: ApiKeys,
        find_prompts: FindPrompts,
        has_option: Callable[[str], bool] = lambda name: True,
    ) -> None:
        self._browse = browse
        self._generations = generations
        self._request_log = request_log
        self._keys = keys
        self._find_prompts = find_prompts
        self._has_option = has_option

    async def __call__(self, text: str) -> SearchResult:
        """What is found for a text; nothing for an empty one.

        Raises:
            StorageError: The database did not tell.
        """
        text = text.strip()[:LONGEST_TEXT]
        if not text:
            return SearchResult()
        accounts = await self._browse.page(PoolFilter(text=text), limit=MOST)
        is_short = len(text) < SHORTEST_WORD and text.isascii()
        prompts = await self._find_prompts("" if is_short else text, GenerationFilter(), limit=MOST)
        return SearchResult(
            accounts=accounts.accounts,
            generation_ids=await self._generations_of(text),
            prompts=prompts.items,
            looked_to=prompts.looked_to if prompts.further and len(prompts.items) < MOST else None,
            keys=_first(key for key in await self._keys.all() if _is_key(key, text)),
            options=_first(name for name in _OPTIONS if _is_option(name, text) and self._has_option(name)),
        )

    async def _generations_of(self, text: str) -> Sequence[str]:
        """Those that have ended by the beginning of their ids; those under way by the whole of it."""
        if len(text) < SHORTEST_ID or not text.replace("_", "").replace("-", "").isalnum():
            return ()
        known = await self._generations.get(text)
        lines = await self._request_log.page(LogFilter(text=text), None, _LINES)
        ids = [known.id] if known is not None else []
        return list(dict.fromkeys([*ids, *(line.generation_id for line in lines if line.generation_id)]))[:MOST]


def _first(found: Iterable[T]) -> Sequence[T]:
    return list(found)[:MOST]


def _is_key(key: ApiKey, text: str) -> bool:
    return text.casefold() in key.name.casefold() or key.prefix.startswith(text) or text.startswith(key.prefix)


def _is_option(name: str, text: str) -> bool:
    words = text.casefold().replace("_", " ").split()
    return bool(words) and all(word in name for word in words)
