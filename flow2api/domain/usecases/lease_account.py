"""Gets an account for a job: chosen at once, warmed first, or waited for."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace

from flow2api.domain.errors import Flow2ApiError, NoEligibleAccountError, PoolBusyError, PoolError
from flow2api.domain.generation import InputRole
from flow2api.domain.lease import AccountPool, Lease
from flow2api.domain.media import MediaKind
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import MediaIndex
from flow2api.domain.selection import FULL, WARMING, Need, SelectionPolicy
from flow2api.domain.usecases.job import Job
from flow2api.domain.usecases.warm_accounts import WarmAccounts

_WARMED_AT_MOST = 3

_SPARE_S = 600.0
"""Time for what has time-outs of its own: uploads, the submit, downloads, a disk or database that is busy."""


class LeaseAccount:
    """Holds an account for a job.

    When all that could serve are busy, the job waits its turn; when the only ones left have never been called, one of them
    is warmed.
    """

    def __init__(
        self,
        pool: AccountPool,
        policy: Callable[[], SelectionPolicy],
        media: MediaIndex,
        warm: WarmAccounts,
        options: Callable[[], Options],
        left_alone_s: Callable[[str], float | None] = lambda upstream: None,
    ) -> None:
        """Put it together.

        Args:
            left_alone_s: For how many seconds an upstream is not called; None while it is.
        """
        self._left_alone_s = left_alone_s
        self._pool = pool
        self._policy = policy
        self._media = media
        self._warm = warm
        self._options = options
        self._waiting = 0

    async def __call__(self, job: Job, tried: Collection[int]) -> Lease:
        """A lease on an account that was not tried yet; the job is made by the model for which that was to be had.

        Raises:
            PoolError: None is to be had within the time that a job of this kind may wait.
        """
        needs = await self._needs(job)
        try:
            lease = await (self._now(needs[0], tried) if len(needs) == 1 else self._of_some(job, needs, tried))
        except PoolBusyError as error:
            if not FULL & error.reasons.keys():
                raise
            lease = await self._in_line(job, needs, tried, error)
        if job.routes and lease.need is not None:
            spec = lease.need.spec
            job.leased_for.add(spec.name)
            if spec is not job.spec:
                job.take_route(next(one for one in job.routes if one.spec is spec))
        return lease

    async def _of_some(self, job: Job, needs: Sequence[Need], tried: Collection[int]) -> Lease:
        """One for the first model that has any.

        Raises:
            PoolError: None has; the error that leaves most hope.
        """
        # An account that has failed with one model may do well with another, but the untried come first.
        new = [need for need in needs if tried and need.spec.name not in job.leased_for]
        for need, avoid in (*((need, tried) for need in needs), *((need, ()) for need in new)):
            with suppress(PoolError):
                return await self._pool.acquire(need, self._policy(), avoid)
        errors: list[PoolError] = []
        for need in needs:
            try:
                return await self._now(need, tried)
            except PoolError as error:
                errors.append(error)
        raise max(errors, key=_hope)

    async def _now(self, need: Need, tried: Collection[int]) -> Lease:
        """One that is ready, or becomes so by warming it."""
        cold: set[int] = set()
        while True:
            try:
                return await self._pool.acquire(need, self._policy(), tried)
            except PoolError as error:
                may_warm = error.reasons.get(WARMING) and len(cold) < _WARMED_AT_MOST
                account_id = self._pool.warming(need.signature, {*cold, *tried}) if may_warm else None
                if account_id is None:
                    raise
                cold.add(account_id)
                await self._warmed(account_id)

    async def _warmed(self, account_id: int) -> None:
        try:
            await self._warm.warm(account_id)
        except Flow2ApiError:
            return  # booked where it was met; the next choice tells what is left

    async def _in_line(self, job: Job, needs: Sequence[Need], tried: Collection[int], refusal: PoolBusyError) -> Lease:
        options = self._options()
        limit_s = options.image_wait_s if job.spec.kind is MediaKind.IMAGE else options.video_wait_s
        limit_s -= job.waited_s
        if limit_s <= 0 or self._waiting >= options.waiting_limit:
            raise refusal
        self._waiting += 1
        try:
            if job.spec.kind is MediaKind.VIDEO and not job.is_stored:
                await job.save()
            job.accept()
            async with asyncio.timeout(limit_s):
                return await self._pool.wait(needs[0], self._policy(), tried, job.waits, needs[1:], job.stands_by)
        except TimeoutError:
            raise refusal from None
        finally:
            self._waiting -= 1
            job.stands_nowhere()

    async def _needs(self, job: Job) -> Sequence[Need]:
        """What is needed for each model that may serve, in order; those of upstreams that are left alone may not."""
        need = await self._need(job)
        if not job.routes:
            return (need,)
        specs = [one.spec for one in job.routes if self._left_alone_s(one.spec.upstream) is None]
        return [replace(need, spec=spec) for spec in specs] or (need,)

    async def _need(self, job: Job) -> Need:
        inputs, key_id = job.generation.inputs, job.generation.key_id
        need = Need(
            job.spec,
            tag=job.tag,
            sticky=f"media {inputs[0].media_id}" if inputs else f"key {key_id}",
            key_id=key_id,
            limit_s=longest_lease_s(job.spec.kind, self._options()),
        )
        source = next((one.media_id for one in inputs if one.role is InputRole.SOURCE), None)
        if source is None:
            looks_home = bool(inputs) and getattr(self._policy(), "looks_home", False)
            return replace(need, home=await self._home(inputs[0].media_id)) if looks_home else need
        account_id = await self._home(source)
        if account_id is None:
            raise NoEligibleAccountError({"removed": 1})
        return replace(need, only=account_id)

    async def _home(self, media_id: str) -> int | None:
        """The account that made this media, if one of ours did."""
        found = await self._media.get([media_id])
        return found[0].account_id if found else None


def _hope(error: PoolError) -> tuple[bool, bool, bool]:
    """The more the likelier it is that an account comes free."""
    is_busy = isinstance(error, PoolBusyError)
    return bool(FULL & error.reasons.keys()), is_busy, isinstance(error, NoEligibleAccountError) and error.waiting_helps


def longest_lease_s(kind: MediaKind, options: Options) -> float:
    """How long a generation may hold its account: longer than all its own time-outs together ever allow."""
    if kind is MediaKind.IMAGE:
        return 2 * options.image_timeout_s + _SPARE_S
    return 2 * (options.video_timeout_s + options.enlarge_timeout_s) + _SPARE_S
