"""One generation from its lease to its end, on as many accounts as it takes while nothing has been spent."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from random import Random

from flow2api.domain.account import Account, CallKind
from flow2api.domain.errors import (
    CredentialError,
    Flow2ApiError,
    NoEligibleAccountError,
    UpstreamError,
    UpstreamNotFoundError,
    UpstreamOverloadedError,
    UpstreamPausedError,
    UpstreamStateUnknownError,
    UpstreamTimeoutError,
)
from flow2api.domain.failover import Next, after_submit, judge
from flow2api.domain.generation import FailedAttempt, Fault, Phase, Stage
from flow2api.domain.lease import AccountPool
from flow2api.domain.media import Media, MediaKind
from flow2api.domain.options import Options
from flow2api.domain.ports.system import Clock
from flow2api.domain.retry_budget import RetryBudget
from flow2api.domain.usecases.attempts import Attempts, Setback
from flow2api.domain.usecases.guard_upstreams import GuardUpstreams
from flow2api.domain.usecases.job import Job, TakenOverError
from flow2api.domain.usecases.lease_account import LeaseAccount
from flow2api.domain.usecases.lease_another import LeaseAnother, begin_work
from flow2api.domain.usecases.make_picture import MakePicture
from flow2api.domain.usecases.make_video import MakeVideo
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.tend_accounts import TendAccounts
from flow2api.domain.usecases.upload_inputs import UploadInputs

log = logging.getLogger(__name__)


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
        self._guard = guard or GuardUpstreams(clock)
        self._pool = pool
        self._lease = LeaseAnother(pool, lease, self._guard, clock, options)
        self._makers = makers
        self._credentials = credentials
        self._uploads = uploads
        self._tend = tend
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
            async with await self._lease(job, attempts) as lease:
                attempts.begin(job.generation.attempts)
                if attempts.last is None:
                    self._budget.begin(self._clock.monotonic())
                job.note(choice=lease.choice)
                await begin_work(job)
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

    def _is_put_off(self, job: Job, error: Flow2ApiError) -> bool:
        """Whether it waits for its upstream to come back; the account may be the one to try that again with."""
        return isinstance(error, UpstreamPausedError) and self._guard.wait_s(job.spec.upstream) is not None

    def _is_held_back(self, account: Account, error: Flow2ApiError) -> bool:
        """Whether nothing was asked of the account because its host is left alone, so that this was no attempt."""
        return isinstance(error, UpstreamPausedError) and self._guard.wait_s_at(account.place) is not None

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
