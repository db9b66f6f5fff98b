"""The account of each attempt: of an upstream that is called, and not one that fails at what is needed besides."""

import asyncio
import logging
from collections.abc import Callable

from flow2api.domain.account import CallKind
from flow2api.domain.errors import (
    CoordinationError,
    CredentialError,
    ModelAccessError,
    NoEligibleAccountError,
    PoolError,
    UpstreamRateLimitedError,
)
from flow2api.domain.lease import AccountPool, Lease
from flow2api.domain.media import MediaKind
from flow2api.domain.options import Options
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.attempts import Attempts
from flow2api.domain.usecases.guard_upstreams import GuardUpstreams
from flow2api.domain.usecases.job import Job
from flow2api.domain.usecases.lease_account import LeaseAccount

log = logging.getLogger(__name__)

_SPOKEN_FOR_BY_POOL = (CredentialError, UpstreamRateLimitedError, ModelAccessError)
"""Errors of single accounts: when every account has met one, the counts by reason tell more."""


class LeaseAnother:
    """Gets an account for the next attempt of a job, when it is its turn at the upstream."""

    def __init__(
        self,
        pool: AccountPool,
        lease: LeaseAccount,
        guard: GuardUpstreams,
        clock: Clock,
        options: Callable[[], Options],
    ) -> None:
        self._pool = pool
        self._lease = lease
        self._guard = guard
        self._clock = clock
        self._options = options

    async def __call__(self, job: Job, attempts: Attempts) -> Lease:
        """A lease on an account that was not tried yet.

        Raises:
            PoolError: None is to be had, and that tells more than what the last attempt met.
            Flow2ApiError: What the last attempt met; or the upstream is left alone for longer than this job may wait.
        """
        await self._turn(job, attempts)
        began = self._clock.monotonic()
        try:
            lease = await self._of_the_able(job, attempts.tried)
        except PoolError as error:
            self._guard.pass_turn_on(job.spec.upstream)
            log.debug("no account", extra={"generation_id": job.generation.id, "reasons": error.reasons})
            last = attempts.last
            if last is None or isinstance(last, _SPOKEN_FOR_BY_POOL):
                raise error from last
            raise last from error
        except CoordinationError:
            self._guard.pass_turn_on(job.spec.upstream)
            raise
        finally:
            job.waited_s += self._clock.monotonic() - began
        if log.isEnabledFor(logging.DEBUG):
            self._tell(job, lease, attempts)
        return lease

    def _tell(self, job: Job, lease: Lease, attempts: Attempts) -> None:
        log.debug(
            "account chosen",
            extra={
                "generation_id": job.generation.id,
                "model": job.spec.name,
                "tag": job.tag,
                "account_id": lease.account_id,
                "policy": self._options().policy,
                "tried": sorted(attempts.tried),
                "waited_ms": int(job.waited_s * 1000),
            },
        )

    async def _turn(self, job: Job, attempts: Attempts) -> None:
        """While the upstream is left alone, a picture is refused, and a video waits, unless another upstream may serve."""
        self._detour(job)
        upstream, kind = job.spec.upstream, job.spec.kind
        if kind is MediaKind.VIDEO and self._guard.wait_s(upstream) is not None:
            await begin_work(job)
        began = self._clock.monotonic()
        await self._guard.turn(upstream, kind, self._options().video_wait_s - attempts.paused_s)
        attempts.paused_s += self._clock.monotonic() - began

    def _detour(self, job: Job) -> None:
        """Where a route has a model of an upstream that is called, that one has the work."""
        if job.routes and self._guard.wait_s(job.spec.upstream) is not None:
            for other in job.routes:
                if self._guard.wait_s(other.spec.upstream) is None:
                    job.take_route(other)
                    return

    async def _of_the_able(self, job: Job, tried: set[int]) -> Lease:
        """One that does not fail at what is needed besides, and whose host is called; if none is so, any one."""
        unable = (self._failing_at_what_else(job) | self._at_hosts_left_alone()) - tried
        if unable:
            try:
                return await self._lease(job, tried | unable)
            except NoEligibleAccountError:
                log.info(
                    "all accounts fail at what is needed besides, or are at hosts left alone",
                    extra={"generation_id": job.generation.id},
                )
        return await self._lease(job, tried)

    def _failing_at_what_else(self, job: Job) -> frozenset[int]:
        upstream, model = job.spec.upstream, job.spec.rests_as
        calls = [CallKind.UPLOAD] if job.generation.has_uploads else []
        calls += [CallKind.ENLARGEMENT] if job.spec.is_enlarged else []
        failing = frozenset[int]()
        for call in calls:
            failing |= self._pool.failing_at(upstream, call, model)
        return failing

    def _at_hosts_left_alone(self) -> frozenset[int]:
        """The accounts at hosts that are left alone now, of upstreams with several hosts."""
        return self._pool.hosts.at_any(self._guard.places_left_alone())


async def begin_work(job: Job) -> None:
    """Tell that work begins. A video is asked for by its id from then on, so its row is there first."""
    if job.spec.kind is MediaKind.VIDEO and not job.is_stored:
        await job.save()
    job.accept()
    await asyncio.sleep(0)  # who waits for this word has it before the work goes on
