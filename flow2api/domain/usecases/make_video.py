"""One video, made by one account: submit, watch, enlarge, keep. It can go on after a restart wherever it was."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from flow2api.domain.account import Account, CallKind
from flow2api.domain.errors import (
    Flow2ApiError,
    StorageError,
    UpstreamStateUnknownError,
)
from flow2api.domain.failover import after_submit
from flow2api.domain.generation import Operation, Order, Phase, Product, Stage
from flow2api.domain.media import Media
from flow2api.domain.options import Options
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Access, Upstream
from flow2api.domain.uncut import uncut
from flow2api.domain.usecases.job import Job, TakenOverError, order_of
from flow2api.domain.usecases.keep_products import KeepProducts, product_from_text, product_to_text
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.tend_accounts import TendAccounts
from flow2api.domain.usecases.upload_inputs import UploadInputs
from flow2api.domain.usecases.watch_operations import WatchOperations

log = logging.getLogger(__name__)

_LEAST_WATCH_S = 60.0
"""After a long stop a video is asked for at least this long: it may have been ready for hours."""

_MADE_PERCENT = 96
"""How far a video is that was made and is only to be fetched yet, however soon that came."""


class MakeVideo:
    """Makes a video. Credits are spent by the submit alone: it is written down before, and its handle right after."""

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        credentials: RenewCredentials,
        uploads: UploadInputs,
        watch: WatchOperations,
        products: KeepProducts,
        tend: TendAccounts,
        clock: Clock,
        options: Callable[[], Options],
    ) -> None:
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
        if generation.has_uploads:
            job.enter(Phase.UPLOADING)
        handles = await self._uploads.handles(account, generation.inputs)
        source = await self._uploads.source(generation.inputs)
        job.note(account_id=account.id, workspace=account.workspace, attempts=generation.attempts + 1)
        await self._submit(job, account, order_of(job, handles, source))
        return await self.resume(job, account)

    async def resume(self, job: Job, account: Account) -> Sequence[Media]:
        """The kept video, from wherever the record says that it is."""
        product = await self._product(job, account)
        if product.seconds is not None:
            job.note(seconds=product.seconds)
        job.progress(_MADE_PERCENT)
        job.enter(Phase.STORING)
        return [await self._products.keep(account, job.generation, product)]

    async def _product(self, job: Job, account: Account) -> Product:
        if job.generation.stage is Stage.ENLARGE:
            return await self._enlarged(job, account, product_from_text(job.generation.made or ""))
        options = self._options()
        limit_s = options.enlarge_timeout_s if job.spec.enlarges else options.video_timeout_s
        product = await self._ended(job, account, limit_s)
        if not job.spec.is_enlarged:
            return product
        job.note(stage=Stage.ENLARGE, made=product_to_text(product), operation=None)
        return await self._enlarged(job, account, product)

    async def _enlarged(self, job: Job, account: Account, plain: Product) -> Product:
        """The enlarged video; when that fails, the plain one that was made before, with a warning."""
        try:
            if job.generation.operation is None:
                if job.generation.phase is Phase.SUBMITTING:
                    raise UpstreamStateUnknownError("The server stopped in the middle of asking for it.")
                await self._submit(job, account, Order(spec=job.spec, stage=Stage.ENLARGE, source=plain))
            product = await self._ended(job, account, self._options().enlarge_timeout_s)
        except TakenOverError:
            raise
        except Flow2ApiError as error:
            await self._tend.went_wrong(account.id, error, job.spec, call=CallKind.ENLARGEMENT)
            job.warn(
                f"The video could not be enlarged to {job.spec.resolution} and is in its plain size: {error.message}"
            )
            return plain
        await self._tend.went_well(account.id, job.spec, call=CallKind.ENLARGEMENT)
        return product

    async def _submit(self, job: Job, account: Account, order: Order) -> None:
        self._products.check_room(job.spec)
        job.enter(Phase.SUBMITTING)
        await job.save_surely()
        credits_left = await uncut(self._spend(job, account, order))
        if credits_left is not None:
            await self._tend.change(account.id, lambda one: replace(one, credits=credits_left))

    async def _spend(self, job: Job, account: Account, order: Order) -> int | None:
        """The submit and the note of its handle, which belong together; returns the credits that are left."""
        upstream = self._upstreams[account.upstream]

        async def call(access: Access) -> tuple[Operation, int | None]:
            job.has_asked = True
            return await upstream.submit(access, order)

        try:
            operation, credits_left = await self._credentials.call(account, call, spends=not job.spec.is_free)
        except Flow2ApiError as error:
            meant = after_submit(error, job.spec)
            job.has_spent = job.has_spent or meant is not error
            raise meant from meant.__cause__
        job.has_spent = True
        job.note(operation=operation)
        job.enter(Phase.POLLING)
        try:
            await job.save_surely()
        except StorageError:
            # It is paid and under way: go on with what is in memory. The next write brings the record up to date.
            log.exception("handle of a video not written yet", extra={"generation_id": job.generation.id})
        return credits_left

    async def _ended(self, job: Job, account: Account, limit_s: float) -> Product:
        operation = job.generation.operation
        if operation is None:
            raise UpstreamStateUnknownError("The upstream's handle of this video was lost.")
        if job.generation.stage is Stage.MAKE:
            begun = job.generation.started_at or self._clock.now()
            limit_s = max(limit_s - (self._clock.now() - begun).total_seconds(), _LEAST_WATCH_S)
        return await self._watch.watch(account.id, operation, job.spec, limit_s=limit_s, on_progress=job.progress)
