"""One generation from its lease to its end, on as many accounts as it takes while nothing has been spent."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from flow2api.domain.account import Account, CallKind
from flow2api.domain.errors import (
    CoordinationError,
    CredentialError,
    Flow2ApiError,
    ModelAccessError,
    NoEligibleAccountError,
    PoolError,
    UpstreamError,
    UpstreamNotFoundError,
    UpstreamOverloadedError,
    UpstreamPausedError,
    UpstreamRateLimitedError,
    UpstreamStateUnknownError,
    UpstreamTimeoutError,
)
from flow2api.domain.failover import Next, after_submit, judge
from flow2api.domain.generation import FailedAttempt, Fault, Phase, Stage
from flow2api.domain.lease import AccountPool, Lease
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.options import Options
from flow2api.domain.ports.system import Clock
from flow2api.domain.retry_budget import RetryBudget
from flow2api.domain.usecases.attempts import Attempts, Setback
from flow2api.domain.usecases.guard_upstreams import GuardUpstreams
from flow2api.domain.usecases.job import Job, TakenOverError
from flow2api.domain.usecases.lease_account import LeaseAccount
from flow2api.domain.usecases.make_picture import MakePicture
from flow2api.domain.usecases.make_video import MakeVideo
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.tend_accounts import TendAccounts
from flow2api.domain.usecases.upload_inputs import UploadInputs

log = logging.getLogger(__name__)

_SPOKEN_FOR_BY_POOL = (CredentialError, UpstreamRateLimitedError, ModelAccessError)
"""Errors of single accounts: when every account has met one, the counts by reason tell more."""


@dataclass(frozen=True, slots=True)
class Makers:
    """How each kind of media is made."""

    pictures: MakePicture
    videos: MakeVideo


class RunGeneration:
    """Works on a job until its record says how it ended. It raises nothing but cancellation."""

    def __init__(
        self,
        pool: AccountPool,
        lease: LeaseAccount,
        makers: Makers,
        credentials: RenewCredentials,
        uploads: UploadInputs,
        tend: TendAccounts,
        clock: Clock,
        options: Callable[[], Options],
        budget: RetryBudget | None = None,
        random: Random | None = None,
        guard: GuardUpstreams | None = None,
    ) -> None:
        self._pool = pool
        self._lease = lease
        self._makers = makers
        self._credentials = credentials
        self._uploads = uploads
        self._tend = tend
        self._guard = guard or GuardUpstreams(clock)
        self._clock = clock
        self._options = options
        self._budget = budget or RetryBudget()
        self._random = random or Random()  # noqa: S311  # spreads load, guards nothing

    async def __call__(self, job: Job) -> None:
        """Work on it from the beginning."""
        await self._to_its_end(job, self._on_some_account)

    async def resume(self, job: Job) -> None:
        """Go on with what an earlier owner has begun, without spending anything twice."""
        await self._to_its_end(job, self._where_it_was)

    async def _to_its_end(self, job: Job, work: Callable[[Job], Awaitable[Sequence[Media]]]) -> None:
        try:
            media = await work(job)
            expires = [one.expires_at for one in media if one.expires_at is not None]
            await job.finish(media, min(expires) if expires else None)
        except TakenOverError as error:
            self._leave(job, error)
        except Flow2ApiError as error:
            await self._end(job, error, Fault(error.code, error.message))
        except Exception as error:
            log.exception("generation failed by a fault of ours", extra={"generation_id": job.generation.id})
            await self._end(job, error, Fault("internal_error", "The server failed at this generation; see its log."))

    async def _end(self, job: Job, error: Exception, fault: Fault) -> None:
        try:
            attempts = job.generation.attempts if job.has_asked else 0
            await job.end(job.generation.changed(attempts=attempts).failed(fault, self._clock.now()), error)
        except TakenOverError as taken_over:
            self._leave(job, taken_over)
        except Exception as unwritten:
            log.exception("end of a generation not written", extra={"generation_id": job.generation.id})
            job.leave(unwritten)

    def _leave(self, job: Job, error: TakenOverError) -> None:
        log.warning("generation taken over", extra={"generation_id": job.generation.id})
        job.leave(error)

    # --- on which account -----------------------------------------------------------------------------------------------

    async def _on_some_account(self, job: Job) -> Sequence[Media]:
        attempts = Attempts(self._clock, self._limit_s(job), {*job.avoid})
        try:
            return await self._on_some_account_of(job, attempts)
        except Flow2ApiError:
            await self._book_setbacks(attempts, attempts.last)
            raise

    async def _on_some_account_of(self, job: Job, attempts: Attempts) -> Sequence[Media]:
        left = max(1, self._options().max_attempts)
        while left:
            left -= 1
            pause_s: float | None = None
            async with await self._lease_another(job, attempts) as lease:
                attempts.begin(job.generation.attempts)
                if attempts.last is None:
                    self._budget.begin(self._clock.monotonic())
                job.note(choice=lease.choice)
                await self._accept(job)
                account = self._pool.get(lease.account_id)
                if account is None:
                    continue
                try:
                    media = await self._within_limit(job, account, attempts)
                except Flow2ApiError as error:
                    await self._go_on_elsewhere(job, account, error, attempts)
                    if account.id in attempts.tried and not self._may_retry(error):
                        break
                    pause_s = self._pause_s(error, attempts)
                    left += self._is_held_back(account, error)
                else:
                    await self._book_setbacks(attempts, None)
                    await self._booked_well(account, job)
                    return media
            if pause_s is not None:
                # The slot is free meanwhile: nothing is asked of the account.
                await self._clock.sleep(pause_s)
        if isinstance(attempts.last, CredentialError):
            # It is no error of the caller's, and the accounts that were not tried may be better off.
            raise NoEligibleAccountError({"tried": len(attempts.tried)}, waiting_helps=True) from attempts.last
        raise attempts.last or NoEligibleAccountError({"removed": 1})

    async def _lease_another(self, job: Job, attempts: Attempts) -> Lease:
        await self._turn(job, attempts)
        began = self._clock.monotonic()
        try:
            lease = await self._lease_of_the_able(job, attempts.tried)
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
            self._tell_choice(job, lease, attempts)
        return lease

    def _tell_choice(self, job: Job, lease: Lease, attempts: Attempts) -> None:
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

    def _is_put_off(self, job: Job, error: Flow2ApiError) -> bool:
        """Whether it waits for its upstream to come back; the account may be the one to try that again with."""
        return isinstance(error, UpstreamPausedError) and self._guard.wait_s(job.spec.upstream) is not None

    def _is_held_back(self, account: Account, error: Flow2ApiError) -> bool:
        """Whether nothing was asked of the account because its host is left alone, so that this was no attempt."""
        return isinstance(error, UpstreamPausedError) and self._guard.wait_s_at(account.place) is not None

    async def _turn(self, job: Job, attempts: Attempts) -> None:
        """While the upstream is left alone, a picture is refused, and a video waits, unless another upstream may serve."""
        self._detour(job)
        upstream, kind = job.spec.upstream, job.spec.kind
        if kind is MediaKind.VIDEO and self._guard.wait_s(upstream) is not None:
            await self._accept(job)
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

    async def _lease_of_the_able(self, job: Job, tried: set[int]) -> Lease:
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

    async def _accept(self, job: Job) -> None:
        """Tell that work begins. A video is asked for by its id from then on, so its row is there first."""
        if job.spec.kind is MediaKind.VIDEO and not job.is_stored:
            await job.save()
        job.accept()
        await asyncio.sleep(0)  # who waits for this word has it before the work goes on

    async def _go_on_elsewhere(self, job: Job, account: Account, error: Flow2ApiError, attempts: Attempts) -> None:
        """Book the error, or keep it until it is known whose fault it is; raise it unless another attempt may follow."""
        attempts.last, verdict = error, judge(error)
        self._note_failed(job, account, error, attempts)
        if verdict.is_own_fault:
            attempts.setbacks.append(Setback(account.id, error, job.spec, _call_of(job)))
        else:
            await self._tend.went_wrong(account.id, error, job.spec, call=_call_of(job))
        self._guard.pass_turn_on(job.spec.upstream)
        log.debug(
            "attempt failed",
            extra={
                "generation_id": job.generation.id,
                "account_id": account.id,
                "code": error.code,
                "reason": error.message,
                "next": verdict.next.name.lower(),
                "has_spent": job.has_spent,
            },
        )
        if job.has_spent or attempts.left_s == 0.0 or verdict.next is Next.GIVE_UP:
            raise error
        if verdict.next is Next.SAME_ACCOUNT_AFRESH and self._may_renew_workspace(job, account, attempts):
            attempts.renewed.add(account.id)
            await self._tend.change(account.id, lambda one: _without_workspace(one, account.workspace))
        else:
            if self._is_held_back(account, error):
                job.note(attempts=attempts.submits)
            if not self._is_put_off(job, error):
                attempts.tried.add(account.id)
        if job.is_stored and job.spec.kind is MediaKind.VIDEO:
            # From here a crash may start it over: the record must not say that a submit is on its way.
            job.enter(Phase.LEASING)
            await job.save()

    def _note_failed(self, job: Job, account: Account, error: Flow2ApiError, attempts: Attempts) -> None:
        took_ms = int((self._clock.monotonic() - attempts.began) * 1000)
        at_ms = max(0, job.generation.age_ms(self._clock.now()) - took_ms)
        failed = FailedAttempt(account.id, at_ms, took_ms, job.generation.phase, error.code, error.message)
        job.note(failed_attempts=job.generation.met(failed).failed_attempts)

    async def _book_setbacks(self, attempts: Attempts, end: Flow2ApiError | None) -> None:
        blamed = attempts.to_blame(end)
        for setback in blamed:
            await self._tend.went_wrong(setback.account_id, setback.error, setback.spec, call=setback.call)
        if not blamed and attempts.failed_together:
            for setback in attempts.setbacks:
                self._tend.failed_like_others(setback.account_id, setback.call)

    async def _booked_well(self, account: Account, job: Job) -> None:
        await self._tend.went_well(account.id, job.spec, call=_making_of(job))
        if job.generation.has_uploads:
            await self._tend.went_well(account.id, job.spec, call=CallKind.UPLOAD)

    def _may_retry(self, error: Flow2ApiError) -> bool:
        """Whether there is a retry left in this minute's budget; a refused credential has made no work upstream."""
        options = self._options()
        if isinstance(error, CredentialError | UpstreamPausedError) or self._budget.take(
            self._clock.monotonic(), percent=options.retry_percent, at_least=options.retries_per_min
        ):
            return True
        log.warning("retry budget spent, the error goes out", extra={"code": error.code})
        return False

    def _pause_s(self, error: Flow2ApiError, attempts: Attempts) -> float | None:
        """How long to hold back when the whole service is overloaded; None for no pause.

        Raises:
            Flow2ApiError: The error itself, when the time that is left does not allow the pause.
        """
        if not isinstance(error, UpstreamOverloadedError):
            return None
        pause_s = attempts.pause_s(error.retry_after_s, self._random)
        if pause_s is None:
            raise error
        return pause_s

    def _may_renew_workspace(self, job: Job, account: Account, attempts: Attempts) -> bool:
        """Whether the workspace must be what upstream does not know: nothing else was named. Once for each account."""
        return not job.generation.inputs and account.id not in attempts.renewed

    def _limit_s(self, job: Job) -> float | None:
        """How long all attempts may take together; a video has limits of its own."""
        if job.spec.kind is MediaKind.VIDEO:
            return None
        limit_s = self._options().image_timeout_s
        return 2 * limit_s if job.spec.is_enlarged else limit_s

    async def _within_limit(self, job: Job, account: Account, attempts: Attempts) -> Sequence[Media]:
        if job.spec.kind is MediaKind.VIDEO:
            return await self._afresh_once(job, account, self._makers.videos)
        try:
            async with asyncio.timeout(attempts.left_s):
                return await self._afresh_once(job, account, self._makers.pictures)
        except TimeoutError as error:
            late = UpstreamTimeoutError(f"The service did not make the picture within {attempts.limit_s:.0f} s.")
            if job.generation.phase in (Phase.UPLOADING, Phase.SUBMITTING):
                self._guard.late(account.place, account.id, late)
            raise (after_submit(late, job.spec) if job.generation.phase is Phase.SUBMITTING else late) from error

    async def _afresh_once(
        self, job: Job, account: Account, make: Callable[[Job, Account], Awaitable[Sequence[Media]]]
    ) -> Sequence[Media]:
        """Make it; if upstream does not know a picture that was uploaded earlier, upload again, once."""
        if not self._credentials.is_ready(account.id):
            job.enter(Phase.AUTHENTICATING)
            await self._credentials.access(account)
        try:
            return await make(job, account)
        except UpstreamNotFoundError:
            if job.has_spent or not job.generation.has_uploads:
                raise
        self._uploads.forget(account.id)
        return await make(job, account)

    # --- after a restart ------------------------------------------------------------------------------------------------

    async def _where_it_was(self, job: Job) -> Sequence[Media]:
        generation = job.generation
        is_begun = generation.stage is Stage.ENLARGE or generation.operation is not None
        if not is_begun:
            if generation.phase in (Phase.SUBMITTING, Phase.POLLING, Phase.STORING):
                raise UpstreamStateUnknownError(
                    "The server stopped while the request was on its way to the service, so nobody knows whether it was "
                    "carried out; it is not sent again by itself."
                )
            return await self._on_some_account(job)
        account = None if generation.account_id is None else self._pool.get(generation.account_id)
        if account is None:
            raise UpstreamError("The account that began this video was removed, so its result cannot be fetched.")
        job.has_spent = True
        async with await self._pool.take(account.id, job.spec.kind):
            try:
                media = await self._makers.videos.resume(job, account)
            except Flow2ApiError as error:
                await self._tend.went_wrong(account.id, error, job.spec, call=_call_of(job))
                raise
            await self._booked_well(account, job)
            return media


def _call_of(job: Job) -> CallKind:
    """The kind of call that the job was at."""
    match job.generation.phase:
        case Phase.UPLOADING:
            return CallKind.UPLOAD
        case Phase.STORING:
            return CallKind.DOWNLOAD
        case _:
            return _making_of(job)


def _making_of(job: Job) -> CallKind:
    return CallKind.ENLARGEMENT if job.spec.enlarges else CallKind.making(job.spec.kind)


def _without_workspace(account: Account, gone: str | None) -> Account:
    return replace(account, workspace=None) if account.workspace == gone else account
