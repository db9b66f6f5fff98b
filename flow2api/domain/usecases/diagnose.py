"""Looks at an installation, one thing after the other, and says what to do about it."""

import asyncio
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from flow2api.domain.account import AccountStatus
from flow2api.domain.errors import Flow2ApiError
from flow2api.domain.ports.coordination import Coordination
from flow2api.domain.ports.media import MediaStore
from flow2api.domain.ports.storage import Maintains, Storage
from flow2api.domain.ports.system import Clock

CHECK_TIMEOUT_S = 60.0

_PROBE_BYTES = 64
_CLOCK_PROBE_S = 0.05
_CLOCK_SLACK = timedelta(seconds=1)
_EARLIEST = datetime(2026, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_FUTURE_SLACK = timedelta(minutes=5)


class CheckState(StrEnum):
    """How a thing stands."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check came to.

    Attributes:
        sentence: What was found; no secret is in it.
        cure: What to do; empty when all is well.
    """

    state: CheckState
    sentence: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at.

    Attributes:
        look: Looks, and raises a `Flow2ApiError` or returns what it found; None when there is nothing to say.
        needs: Name of the check without whose success this one has nothing to look at.
    """

    name: str
    look: Callable[[], Awaitable[Finding | None]]
    needs: str | None = None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A finding under the name of its check."""

    name: str
    finding: Finding


class Diagnose:
    """Runs checks. One that fails, hangs or breaks never stops the others.

    Args:
        timeout_s: How long a single check may take.
    """

    def __init__(self, checks: Iterable[Check], *, timeout_s: float = CHECK_TIMEOUT_S) -> None:
        self._checks = tuple(checks)
        self._timeout_s = timeout_s

    async def __call__(self) -> AsyncIterator[Diagnosis]:
        """What was found, as it is found. A check whose need has failed is left out."""
        failed: set[str] = set()
        for check in self._checks:
            if check.needs in failed:
                failed.add(check.name)
                continue
            finding = await self._look(check)
            if finding is None:
                continue
            if finding.state is CheckState.FAIL:
                failed.add(check.name)
            yield Diagnosis(check.name, finding)

    async def _look(self, check: Check) -> Finding | None:
        try:
            async with asyncio.timeout(self._timeout_s):
                found: object = await check.look()
            if found is not None and not isinstance(found, Finding):
                raise TypeError(f"a check returned {type(found).__name__}")  # noqa: TRY301
            return found
        except Flow2ApiError as error:
            return Finding(CheckState.FAIL, error.message)
        except TimeoutError:
            return Finding(CheckState.FAIL, f"The check did not come to an end within {self._timeout_s:.0f} s.")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a plugin's check may raise whatever it likes
            return Finding(
                CheckState.FAIL,
                f"The check itself broke ({type(error).__name__}).",
                "Report it to whoever made the check, with your version.",
            )


def look_at_storage(storage: Storage) -> Check:
    """Whether the database can be written."""

    async def look() -> Finding:
        await storage.ping()
        return Finding(CheckState.OK, "The database can be written.")

    return Check("database writes", look, needs="database")


def look_at_schema(storage: Storage) -> Check:
    """Whether the database is sound and its schema is current."""

    async def look() -> Finding:
        if not isinstance(storage, Maintains):
            return Finding(CheckState.OK, "This storage looks after itself.")
        found = await storage.examine()
        if found.faults:
            return Finding(CheckState.FAIL, " ".join(found.faults), "Stop the server and restore a backup.")
        if found.schema != found.newest_schema:
            return Finding(
                CheckState.FAIL, f"The schema is at {found.schema}, not {found.newest_schema}.", "Run db upgrade."
            )
        return Finding(CheckState.OK, f"The database is sound, its schema ({found.schema}) current.")

    return Check("database file", look, needs="database")


def look_at_media(store: MediaStore) -> Check:
    """Whether bytes can be kept, read back and deleted."""

    async def look() -> Finding:
        probe = secrets.token_bytes(_PROBE_BYTES)  # by chance, so that nothing that is kept can be meant by its address
        kept = await store.put(_once(probe))
        read = b"".join([chunk async for chunk in store.read(kept.sha256)])
        await store.delete(kept.sha256)
        if read != probe:
            return Finding(
                CheckState.FAIL, "The media store gives back other bytes than it was given.", "Check its disk."
            )
        return Finding(CheckState.OK, "Media can be kept, read and deleted.")

    return Check("media store", look)


def look_at_coordination(coordination: Coordination) -> Check:
    """Whether the processes that share this can reach it; nothing to say where nobody shares it."""

    async def look() -> Finding | None:
        if not coordination.is_shared:
            return None
        try:
            await coordination.ping()
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            return Finding(
                CheckState.FAIL,
                f"What processes share slots and limits by does not answer: {str(error) or type(error).__name__}",
                "See that it runs, and that the setting coordination_url is right; without it nothing new is begun.",
            )
        return Finding(CheckState.OK, "Slots and limits can be shared with other processes.")

    return Check("coordination", look, needs="backends")


def look_at_clock(clock: Clock) -> Check:
    """Whether the time of day is plausible and runs; nobody outside is asked."""

    async def look() -> Finding:
        now, ticks = clock.now(), clock.monotonic()
        await clock.sleep(_CLOCK_PROBE_S)
        passed, ticked = clock.now() - now, timedelta(seconds=clock.monotonic() - ticks)
        cure = "Set the machine's clock, and let NTP keep it."
        if not _EARLIEST <= now < _LATEST:
            return Finding(CheckState.FAIL, f"The clock says {now:%Y-%m-%d}, which cannot be.", cure)
        if abs(passed - ticked) > _CLOCK_SLACK:
            return Finding(
                CheckState.WARN, f"The clock jumped by {(passed - ticked).total_seconds():.1f} s just now.", cure
            )
        return Finding(CheckState.OK, f"The clock says {now:%Y-%m-%d %H:%M} UTC, and runs.")

    return Check("clock", look)


def look_at_accounts(storage: Storage, clock: Clock) -> Check:
    """How many accounts there are, and how they stand."""

    async def look() -> Finding:
        now = clock.now()
        counts: Counter[AccountStatus] = Counter()
        newest, warming = now, 0
        async for batch in storage.accounts.load():
            for account in batch:
                counts[account.status(now)] += 1
                warming += account.status(now) is AccountStatus.ACTIVE and not account.is_warm
                newest = max(newest, account.created_at)
        if newest > now + _FUTURE_SLACK:
            return Finding(
                CheckState.WARN,
                f"An account was added at {newest:%Y-%m-%d %H:%M} UTC, which is yet to come: the clock went back.",
                "Set the machine's clock.",
            )
        return _account_finding(counts, warming)

    return Check("accounts", look, needs="database")


def look_at_keys(storage: Storage) -> Check:
    """Whether there is an API key that opens anything."""

    async def look() -> Finding:
        keys = await storage.api_keys.all()
        active = sum(key.is_active for key in keys)
        if not active:
            return Finding(
                CheckState.WARN, "There is no active API key, so nobody can call.", "Run `flow2api keys create`."
            )
        return Finding(CheckState.OK, f"{active} active, {len(keys) - active} revoked.")

    return Check("API keys", look, needs="database")


def is_fine(diagnoses: Sequence[Diagnosis]) -> bool:
    """Whether none of them failed; warnings are fine."""
    return all(one.finding.state is not CheckState.FAIL for one in diagnoses)


def _account_finding(counts: "Counter[AccountStatus]", warming: int) -> Finding:
    if not counts:
        return Finding(
            CheckState.WARN, "There are no accounts.", "Run `flow2api accounts add` or `flow2api accounts import`."
        )
    told = ", ".join(f"{counts[status]} {status.replace('_', ' ')}" for status in AccountStatus if counts[status])
    told += f" ({warming} of them not yet warmed)" if warming else ""
    if not counts[AccountStatus.ACTIVE]:
        return Finding(
            CheckState.WARN, f"No account can serve: {told}.", "`flow2api accounts list` tells why they rest."
        )
    return Finding(CheckState.OK, f"{told}.")


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
