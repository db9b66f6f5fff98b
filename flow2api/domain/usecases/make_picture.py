"""One picture, or several in one call, made by one account."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from flow2api.domain.account import Account, CallKind
from flow2api.domain.errors import ContentBlockedError, CredentialError, Flow2ApiError, UpstreamInvalidError
from flow2api.domain.failover import after_submit
from flow2api.domain.generation import InputRole, Order, Phase, Product, Stage
from flow2api.domain.media import Media
from flow2api.domain.ports.upstream import Access, Upstream
from flow2api.domain.usecases.job import Job, order_of
from flow2api.domain.usecases.keep_products import KeepProducts
from flow2api.domain.usecases.renew_credentials import RenewCredentials
from flow2api.domain.usecases.tend_accounts import TendAccounts
from flow2api.domain.usecases.upload_inputs import UploadInputs


class MakePicture:
    """Uploads what is needed, asks the account for the pictures, enlarges them if the model says so, and keeps them.

    What was made before and is only to be enlarged is asked for the same way: as the one call that is made.
    """

    def __init__(
        self,
        upstreams: Mapping[str, Upstream],
        credentials: RenewCredentials,
        uploads: UploadInputs,
        products: KeepProducts,
        tend: TendAccounts,
    ) -> None:
        self._upstreams = upstreams
        self._credentials = credentials
        self._uploads = uploads
        self._products = products
        self._tend = tend

    async def __call__(self, job: Job, account: Account) -> Sequence[Media]:
        """The kept pictures; the record is in phase ``submitting`` in storage before the account is asked."""
        generation = job.generation
        if generation.has_uploads:
            job.enter(Phase.UPLOADING)
        handles = await self._uploads.handles(account, generation.inputs)
        source = await self._uploads.source(generation.inputs)
        job.note(account_id=account.id, workspace=account.workspace, attempts=generation.attempts + 1)
        self._products.check_room(job.spec)
        job.enter(Phase.SUBMITTING)
        await job.save()
        products = await self._produce(job, account, handles, source)
        if not products:
            raise ContentBlockedError
        job.has_spent = not job.spec.is_free
        missing = generation.count - len(products)
        if missing:
            job.warn(f"The service held back {missing} of {generation.count} pictures.")
        if job.spec.is_enlarged:
            products = [await self._enlarge(job, account, product) for product in products]
        job.enter(Phase.STORING)
        return [await self._products.keep(account, job.generation, product) for product in products]

    async def _produce(
        self, job: Job, account: Account, handles: tuple[tuple[InputRole, str], ...], source: Product | None
    ) -> Sequence[Product]:
        order = order_of(job, handles, source)
        upstream = self._upstreams[account.upstream]

        async def call(access: Access) -> Sequence[Product]:
            job.has_asked = True
            return await upstream.produce(access, order)

        try:
            return await self._credentials.call(account, call, spends=not job.spec.is_free)
        except Flow2ApiError as error:
            meant = after_submit(error, job.spec)
            job.has_spent = meant is not error
            raise meant from meant.__cause__

    async def _enlarge(self, job: Job, account: Account, product: Product) -> Product:
        """The enlarged product; when that fails, the plain one, with a warning. It says nothing about what else the account can do."""
        order = Order(spec=job.spec, stage=Stage.ENLARGE, source=product)
        upstream = self._upstreams[account.upstream]

        async def call(access: Access) -> Sequence[Product]:
            return await upstream.produce(access, order)

        try:
            enlarged = await self._credentials.call(account, call, spends=not job.spec.is_free)
            if not enlarged:
                raise UpstreamInvalidError("the service sent nothing back.")
        except CredentialError:
            raise
        except Flow2ApiError as error:
            await self._tend.went_wrong(account.id, error, job.spec, call=CallKind.ENLARGEMENT)
            job.warn(
                f"The picture could not be enlarged to {job.spec.resolution} and is in its plain size: {error.message}"
            )
            return product
        await self._tend.went_well(account.id, job.spec, call=CallKind.ENLARGEMENT)
        return replace(enlarged[0], name=enlarged[0].name or product.name)
