"""One video, made by one account: submit, watch, enlarge, keep. It can go on after a restart wherever it was."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from flow2api.domain.account import Account
from flow2api.domain.errors import (
    ContentBlockedError,
    Flow2ApiError,
    StorageError,
    UpstreamStateUnknownError,
    UpstreamTimeoutError,
)
from flow2api.domain.failover import may_have_been_carried_out
from flow2api.domain.generation import Operation, Order, Phase, Product, Stage
from flow2api.domain.lease import AccountPool
from flow2api.domain.media import Media
from flow2api.domain.options import Options
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access, Upstream
from flow2api.domain.usecases.job import Job
from flow2api.domain.usecases.keep_products import KeepProducts, product_from_text, product_to_text
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.tend_accounts import TendAccounts
from flow2api.domain.usecases.upload_inputs import UploadInputs
from flow2api.domain.usecases.watch_operations import WatchOperations

_SAVE_PAUSES_S = (0.2, 1.0, 3.0, 10.0)


class MakeVideo:
    """Makes a video. Credits are spent by the submit alone: it is written down before, and its handle right after."""

    def __init__(
        self,
        pool: AccountPool,
        upstreams: Mapping[str, Upstream],
        credentials: RenewCredentials,
        uploads: UploadInputs,
        watch: WatchOperations,
        products: KeepProducts,
        tend: TendAccounts,
        clock: Clock,
        options: Callable[[], Options],
    ) -> None:
        self._pool = pool
        self._upstreams = upstreams
        self._credentials = credentials
        self._uploads = uploads
        self._watch = watch
        self._products = products
        self._tend = tend
        self._clock = clock
        self._options = options

    async def __call__(self, job: Job, account: Account) -> Sequence[Media]:
        """The kept video, from the beginning."""
        generation = job.generation
        if generation.inputs:
            job.enter(Phase.UPLOADING)
        handles = await self._uploads.handles(account, generation.inputs)
        source = await self._uploads.source(generation.inputs)
        job.note(account_id=account.id, workspace=account.workspace, attempts=generation.attempts + 1)
        order = Order(spec=job.spec, prompt=generation.prompt, seed=generation.seed, inputs=handles, source=source)
        await self._submit(job, account, order)
        return await self.resume(job, account)

    async def resume(self, job: Job, account: Account) -> Sequence[Media]:
        """The kept video, from wherever the record says that it is."""
        product = await self._product(job, account)
        job.enter(Phase.STORING)
        return [await self._products.keep(account, job.generation, product)]

    async def _product(self, job: Job, account: Account) -> Product:
        if job.generation.stage is Stage.ENLARGE:
            return await self._enlarged(job, account)
        product = await self._ended(job, account, self._options().video_timeout_s)
        if job.spec.resolution is None:
            return product
        job.note(stage=Stage.ENLARGE, made=product_to_text(product), operation=None)
        return await self._enlarged(job, account)

    async def _enlarged(self, job: Job, account: Account) -> Product:
        """The enlarged video; when that fails, the plain one that was made before, with a warning."""
        plain = product_from_text(job.generation.made or "{}")
        try:
            if job.generation.operation is None:
                if job.generation.phase is Phase.SUBMITTING:
                    raise UpstreamStateUnknownError("the server stopped in the middle of asking for it.")
                await self._submit(job, account, Order(spec=job.spec, stage=Stage.ENLARGE, source=plain))
            return await self._ended(job, account, self._options().enlarge_timeout_s)
        except (StorageError, ContentBlockedError):
            raise
        except Flow2ApiError as error:
            job.warn(
                f"The video could not be enlarged to {job.spec.resolution} and is in its plain size: {error.message}"
            )
            return plain

    async def _submit(self, job: Job, account: Account, order: Order) -> None:
        job.enter(Phase.SUBMITTING)
        await job.save()
        upstream = self._upstreams[account.upstream]

        async def call(access: Access) -> tuple[Operation, int | None]:
            return await upstream.submit(access, order)

        try:
            operation, credits_left = await self._credentials.call(account, call)
        except Flow2ApiError as error:
            if not job.spec.is_free and may_have_been_carried_out(error):
                job.has_spent = True
                raise UpstreamStateUnknownError(
                    "The service did not answer the request that spends credits, so nobody knows whether the video is "
                    f"being made; it is not sent again by itself. ({error.message})"
                ) from error
            raise
        job.has_spent = True
        job.note(operation=operation)
        job.enter(Phase.POLLING)
        await self._save_surely(job)
        if credits_left is not None:
            self._note_credits(account.id, credits_left)

    async def _save_surely(self, job: Job) -> None:
        """Write the handle of what was paid for; a database that is busy for a moment must not lose it."""
        for pause_s in _SAVE_PAUSES_S:
            try:
                await job.save()
            except StorageError:
                await self._clock.sleep(pause_s)
            else:
                return
        await job.save()

    async def _ended(self, job: Job, account: Account, limit_s: float) -> Product:
        operation = job.generation.operation
        if operation is None:
            raise UpstreamStateUnknownError("The upstream's handle of this video was lost.")
        begun = job.generation.started_at or self._clock.now()
        left = timedelta(seconds=limit_s) - (self._clock.now() - begun)
        limit = limit_s if job.generation.stage is Stage.ENLARGE else max(left.total_seconds(), 0.0)
        if limit <= 0:
            raise UpstreamTimeoutError(f"The service did not finish the video within {limit_s:.0f} s.")
        return await self._watch.watch(
            account.id, operation, job.spec, limit_s=limit, on_progress=lambda percent: job.progress(percent)
        )

    def _note_credits(self, account_id: int, credits_left: int) -> None:
        """What the submit said is left: for choosing, in memory; the keeper writes it down on its next visit."""
        account = self._pool.get(account_id)
        if account is not None and account.credits != credits_left:
            self._pool.put(replace(account, credits=credits_left))
