"""The pool at a glance: what a page that is looked at all day shows, asked for once for all who look."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from flow2api.domain.account import Place
from flow2api.domain.account_list import AccountListPage, AccountOrder, PoolFilter
from flow2api.domain.breaker import BreakerState, BreakerStatus, Host
from flow2api.domain.checks import Check
from flow2api.domain.errors import StorageError
from flow2api.domain.generation import Generation, State
from flow2api.domain.ports.statistics import Figures
from flow2api.domain.ports.storage import GenerationFilter
from flow2api.domain.ports.system import Clock
from flow2api.domain.proxy import Proxy
from flow2api.domain.statistics import Dimension
from flow2api.domain.usecases.browse_accounts import BrowseAccounts
from flow2api.domain.usecases.look_up_generations import LookUpGenerations
from flow2api.domain.usecases.read_checks import ReadChecks
from flow2api.domain.usecases.read_credits import CreditsOutlook, ReadCredits
from flow2api.domain.usecases.read_spans import ReadSpans, Span, SpanFigures
from flow2api.domain.usecases.remembered import Remembered

BUSIEST = 8
LATEST = 6
_FIGURES_FRESH_S = 2.0
_CREDITS_FRESH_S = 30.0


@dataclass(frozen=True, slots=True)
class BusyAccounts:
    """The accounts that carry most, and how many there are of each state.

    Attributes:
        checks: The last ones of these accounts; none where the database did not tell.
    """

    page: AccountListPage
    checks: Mapping[int, Sequence[Check]]


@dataclass(frozen=True, slots=True)
class PausedHost:
    """A host of an upstream that is left alone.

    Attributes:
        base_url: Of the host where accounts are served, for an upstream that serves them at several; None for its own.
    """

    upstream: str
    base_url: str | None
    host: Host
    status: BreakerStatus


class GlanceAtPool:
    """Reads what others keep, so that a hundred people who look cost as much as one.

    Args:
        breakers: How the breaker of every host stands.
        proxies: Every proxy as this process knows it.
    """

    def __init__(
        self,
        browse: BrowseAccounts,
        checks: ReadChecks,
        spans: ReadSpans,
        credits_left: ReadCredits,
        generations: LookUpGenerations,
        breakers: Callable[[], Mapping[tuple[Place, Host], BreakerStatus]],
        proxies: Callable[[], Sequence[Proxy]],
        clock: Clock,
    ) -> None:
        self._browse = browse
        self._checks = checks
        self._spans = spans
        self._credits_left = credits_left
        self._generations = generations
        self._breakers = breakers
        self._proxies = proxies
        self._busy = Remembered[None, BusyAccounts](lambda _: self._read_busy(), clock)
        self._figures = Remembered[Span, SpanFigures](spans.figures, clock, fresh_s=_FIGURES_FRESH_S)
        self._apart = Remembered[tuple[Span, Dimension], Figures](
            lambda asked: spans.apart(*asked), clock, fresh_s=_FIGURES_FRESH_S
        )
        self._today = Remembered[tuple[date, Dimension | None], Figures](
            lambda asked: spans.on(*asked), clock, fresh_s=_FIGURES_FRESH_S
        )
        self._outlook = Remembered[int, CreditsOutlook](credits_left.of_pool, clock, fresh_s=_CREDITS_FRESH_S)
        self._latest = Remembered[None, Sequence[Generation]](lambda _: self._read_latest(), clock)

    async def accounts(self) -> BusyAccounts:
        """The busiest accounts, and the counts of all."""
        return await self._busy(None)

    async def figures(self, span: Span) -> SpanFigures:
        """What was counted in a span, and in the one before.

        Raises:
            StorageError: The database did not tell.
        """
        return await self._figures(span)

    async def apart(self, span: Span, by: Dimension) -> Figures:
        """The same by account, key or model.

        Raises:
            StorageError: The database did not tell.
        """
        return await self._apart((span, by))

    async def today(self, by: Dimension | None = None) -> Figures:
        """What was counted since the day began, told apart by account, key or model, or not at all (under ``""``).

        Raises:
            StorageError: The database did not tell.
        """
        return await self._today((self._spans.today(), by))

    async def credits(self, days: int) -> CreditsOutlook:
        """What all accounts had left day by day.

        Raises:
            StorageError: The database did not tell.
        """
        return await self._outlook(days)

    async def latest(self) -> Sequence[Generation]:
        """What was made last.

        Raises:
            StorageError: The database did not tell.
        """
        return await self._latest(None)

    def paused_hosts(self) -> Sequence[PausedHost]:
        """The hosts that are left alone now."""
        return [
            PausedHost(upstream, base_url, host, status)
            for ((upstream, base_url), host), status in self._breakers().items()
            if status.state is not BreakerState.CLOSED
        ]

    def proxies(self) -> Sequence[Proxy]:
        """Every proxy as this process knows it."""
        return self._proxies()

    async def _read_busy(self) -> BusyAccounts:
        page = await self._browse.page(PoolFilter(), AccountOrder.BUSIEST, limit=BUSIEST)
        try:
            checks = await self._checks([listed.account.id for listed in page.accounts])
        except StorageError:
            checks = {}
        return BusyAccounts(page, checks)

    async def _read_latest(self) -> Sequence[Generation]:
        page = await self._generations.page(GenerationFilter(state=State.COMPLETED), limit=LATEST * 2)
        return [one for one in page.items if one.deleted_at is None][:LATEST]
