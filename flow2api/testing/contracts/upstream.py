"""What an upstream promises."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import cast

import pytest
import pytest_asyncio

from flow2api.domain.account import Tier
from flow2api.domain.catalog import ModelCatalog, ModelSpec
from flow2api.domain.errors import (
    ContentBlockedError,
    CredentialExpiredError,
    CredentialRevokedError,
    UpstreamNotFoundError,
    UpstreamRateLimitedError,
)
from flow2api.domain.generation import InputRole, Operation, OperationStatus, Order, Product, Stage
from flow2api.domain.media import sniff_content_type
from flow2api.domain.picture_size import picture_facts
from flow2api.domain.ports.upstream import DeletesProducts, OffersModels
from flow2api.testing.contracts.backstage import Backstage, Offer, Worker, all_of, hire

CANCELLED_WITHIN_S = 5.0
"""How long a cancelled call may take to its end."""


class UpstreamContract:
    """Everything that an upstream promises: subclass it, and define the fixture ``backstage``.

    The tests share one event loop for each module, so that a service may be started once for all of them::

        @pytest_asyncio.fixture(loop_scope="module", scope="module")
        async def service() -> AsyncIterator[Backstage]:
            async with ...:
                yield MyBackstage(...)


        class TestMyUpstream(UpstreamContract):
            @pytest.fixture
            def backstage(self, service: Backstage) -> Backstage:
                return service
    """

    pytestmark = pytest.mark.asyncio(loop_scope="module")

    @pytest_asyncio.fixture(loop_scope="module")
    async def worker(self, backstage: Backstage) -> Worker:
        """An account of the service, ready for work."""
        return await hire(backstage)

    async def test_exchange_brings_an_access_token_that_lives(self, backstage: Backstage) -> None:
        credentials = await backstage.new_account()

        exchanged = await backstage.upstream.exchange(credentials, None)

        now = exchanged.credentials.obtained_at
        assert now is not None
        assert exchanged.credentials.is_fresh(now)
        if Offer.EMAIL in backstage.offers:
            assert exchanged.email
            assert exchanged.email == exchanged.email.casefold()

    async def test_exchange_brings_the_rotated_session_token_and_the_old_one_stays_good(
        self, backstage: Backstage
    ) -> None:
        backstage.has(Offer.ROTATION)
        credentials = await backstage.new_account()

        first = await backstage.upstream.exchange(credentials, None)
        again = await backstage.upstream.exchange(credentials, None)
        rotated = await backstage.upstream.exchange(first.credentials, None)

        tokens = {credentials.session_token, first.credentials.session_token, rotated.credentials.session_token}
        assert len(tokens) == 3
        assert again.email == rotated.email == first.email

    async def test_exchange_refuses_a_session_that_was_revoked(self, backstage: Backstage) -> None:
        credentials = await backstage.new_account()
        await backstage.revoke(credentials)

        with pytest.raises(CredentialRevokedError):
            await backstage.upstream.exchange(credentials, None)

    async def test_exchange_refuses_what_is_no_session(self, backstage: Backstage) -> None:
        with pytest.raises(CredentialRevokedError):
            await backstage.upstream.exchange(backstage.made_up("eyJ" + "x" * 300), None)

    @pytest.mark.parametrize(("tier", "credit"), [(Tier.FREE, 0), (Tier.PRO, 920), (Tier.ULTRA, 45_000)])
    async def test_allowance_tells_plan_and_credits(self, backstage: Backstage, tier: Tier, credit: int) -> None:
        backstage.has(Offer.PLANS)
        worker = await hire(backstage, tier=tier, credit=credit)

        allowance = await worker.upstream.allowance(worker.access)

        assert (allowance.tier, allowance.credits) == (tier, credit)

    async def test_dead_access_token_is_told_apart_from_a_dead_session(self, worker: Worker) -> None:
        worker.backstage.has(Offer.SHORT_ACCESS)
        stage = worker.backstage
        await stage.kill_access(worker.credentials)

        with pytest.raises(CredentialExpiredError):
            await worker.upstream.allowance(worker.access)
        if stage.picture is not None:
            with pytest.raises(CredentialExpiredError):
                await worker.upstream.produce(worker.access, Order(spec=stage.picture, prompt="a mug"))
        if stage.video is not None:
            with pytest.raises(CredentialExpiredError):
                await worker.upstream.submit(worker.access, Order(spec=stage.video, prompt="a cat"))

    async def test_each_workspace_is_a_new_one(self, worker: Worker) -> None:
        worker.backstage.has(Offer.WORKSPACES)
        other = await worker.upstream.open_workspace(worker.access, "another")

        assert other
        assert other != worker.access.workspace

    async def test_foreign_workspace_is_not_found(self, worker: Worker, backstage: Backstage) -> None:
        backstage.has(Offer.WORKSPACES)
        picture = backstage.makes("picture")
        stranger = await hire(backstage)

        with pytest.raises(UpstreamNotFoundError):
            await worker.upstream.produce(
                replace(worker.access, workspace=stranger.access.workspace), Order(spec=picture, prompt="a mug")
            )

    async def test_produce_makes_as_many_different_pictures_as_were_ordered(self, worker: Worker) -> None:
        picture = worker.backstage.makes("picture")
        products = await worker.upstream.produce(
            worker.access, Order(spec=picture, prompt="a red mug", count=3, seed=7)
        )

        contents = [await all_of(worker.upstream.fetch(worker.access, product)) for product in products]
        assert len({*contents}) == 3
        assert all((sniff_content_type(data[:12]) or "").startswith("image/") for data in contents)
        if Offer.NAMES in worker.backstage.offers:
            assert len({product.name for product in products}) == 3

    async def test_produce_takes_an_uploaded_picture(self, worker: Worker) -> None:
        picture = worker.backstage.makes("picture")
        order = Order(spec=picture, prompt="a mug like this", inputs=((InputRole.REFERENCE, await worker.upload()),))

        products = await worker.upstream.produce(worker.access, order)

        assert len(products) == 1

    async def test_produce_does_not_know_another_accounts_picture(self, worker: Worker, backstage: Backstage) -> None:
        backstage.has(Offer.UPLOADS)
        picture = backstage.makes("picture")
        stranger = await hire(backstage)
        order = Order(spec=picture, prompt="a mug like this", inputs=((InputRole.REFERENCE, await stranger.upload()),))

        with pytest.raises(UpstreamNotFoundError):
            await worker.upstream.produce(worker.access, order)

    async def test_refused_prompt_is_the_callers_fault_and_costs_nothing(self, worker: Worker) -> None:
        stage = worker.backstage
        for prompt in stage.refused_prompts:
            if stage.picture is not None:
                with pytest.raises(ContentBlockedError):
                    await worker.upstream.produce(worker.access, Order(spec=stage.picture, prompt=prompt))
            if stage.video is not None:
                with pytest.raises(ContentBlockedError):
                    await worker.filmed(Order(spec=stage.video, prompt=prompt))
        assert await worker.has_all_its_credits()

    async def test_submit_names_each_operation_differently(self, worker: Worker) -> None:
        order = Order(spec=worker.backstage.makes("video"), prompt="a cat")

        first, _ = await worker.upstream.submit(worker.access, order)
        second, _ = await worker.upstream.submit(worker.access, order)

        assert first.name != second.name

    async def test_submit_spends_and_tells_what_is_left(self, worker: Worker) -> None:
        worker.backstage.has(Offer.PLANS)
        video = worker.backstage.makes("video")
        order, price = Order(spec=video, prompt="a cat"), video.cost(Tier.PRO)

        left = [(await worker.upstream.submit(worker.access, order))[1] for _ in range(2)]

        assert left == [worker.backstage.credits - price, worker.backstage.credits - 2 * price]

    async def test_submit_without_credits_is_refused_as_exhausted(self, backstage: Backstage) -> None:
        backstage.has(Offer.PLANS)
        video = backstage.makes("video")
        worker = await hire(backstage, credit=video.cost(Tier.PRO) - 1)

        with pytest.raises(UpstreamRateLimitedError) as refusal:
            await worker.upstream.submit(worker.access, Order(spec=video, prompt="a cat"))

        assert refusal.value.exhausted

    async def test_video_runs_then_is_done_and_its_bytes_can_be_had(self, worker: Worker) -> None:
        video = worker.backstage.makes("video")
        operation, _ = await worker.upstream.submit(worker.access, Order(spec=video, prompt="a cat"))
        running = (await worker.upstream.poll(worker.access, [operation]))[operation.name]

        status = await worker.outcome(operation)

        assert not running.is_final
        assert status.product is not None
        data = await all_of(worker.upstream.fetch(worker.access, status.product))
        assert sniff_content_type(data[:12]) == "video/mp4"

    async def test_video_has_a_thumbnail(self, worker: Worker) -> None:
        worker.backstage.has(Offer.THUMBNAILS)
        video = worker.backstage.makes("video")
        operation, _ = await worker.upstream.submit(worker.access, Order(spec=video, prompt="a cat"))
        product = (await worker.outcome(operation)).product
        assert product is not None

        data = await all_of(worker.upstream.fetch(worker.access, product, thumbnail=True))

        assert (sniff_content_type(data[:12]) or "").startswith("image/")

    async def test_operation_can_be_asked_for_from_its_record_alone(self, worker: Worker) -> None:
        video = worker.backstage.makes("video")
        operation, _ = await worker.upstream.submit(worker.access, Order(spec=video, prompt="a cat"))

        status = await worker.outcome(Operation(operation.name, operation.payload))

        assert status.product is not None

    @pytest.mark.parametrize(("what", "role"), [("frames", InputRole.START), ("references", InputRole.REFERENCE)])
    async def test_video_is_made_from_pictures(self, worker: Worker, what: str, role: InputRole) -> None:
        spec = worker.backstage.makes(what)
        order = Order(spec=spec, prompt="it moves", inputs=((role, await worker.upload()),))

        operation, _ = await worker.upstream.submit(worker.access, order)

        assert (await worker.outcome(operation)).product is not None

    async def test_picture_is_enlarged_from_its_record_alone(self, worker: Worker) -> None:
        picture, larger = worker.backstage.makes("picture"), worker.backstage.makes("larger_picture")
        (made,) = await worker.upstream.produce(worker.access, Order(spec=picture, prompt="a mug"))
        plain = await all_of(worker.upstream.fetch(worker.access, made))

        (enlarged,) = await worker.upstream.produce(worker.access, _enlarging(larger, made))

        data = await all_of(worker.upstream.fetch(worker.access, enlarged))
        before, after = picture_facts(plain), picture_facts(data)
        assert before is not None
        assert after is not None
        assert after.width >= before.width, (
            "An enlarged picture is not smaller; a played service may draw all of one size."
        )
        assert enlarged.name == made.name

    async def test_video_is_enlarged_from_its_record_alone(self, worker: Worker) -> None:
        video, larger = worker.backstage.makes("video"), worker.backstage.makes("larger_video")
        made = await worker.filmed(Order(spec=video, prompt="a cat"))
        assert made is not None

        enlarged = await worker.filmed(_enlarging(larger, made))

        assert enlarged is not None
        assert enlarged.name != made.name
        data = await all_of(worker.upstream.fetch(worker.access, enlarged))
        assert sniff_content_type(data[:12]) == "video/mp4"

    async def test_what_another_account_has_made_is_not_enlarged(self, worker: Worker, backstage: Backstage) -> None:
        stranger = await hire(backstage)
        if backstage.picture is not None and backstage.larger_picture is not None:
            (made,) = await worker.upstream.produce(worker.access, Order(spec=backstage.picture, prompt="a mug"))
            with pytest.raises(UpstreamNotFoundError):
                await stranger.upstream.produce(stranger.access, _enlarging(backstage.larger_picture, made))
        if backstage.video is not None and backstage.larger_video is not None:
            film = await worker.filmed(Order(spec=backstage.video, prompt="a cat"))
            assert film is not None
            with pytest.raises(UpstreamNotFoundError):
                await stranger.upstream.submit(stranger.access, _enlarging(backstage.larger_video, film))
        assert await stranger.has_all_its_credits()

    async def test_poll_tells_of_many_operations_at_once(self, worker: Worker) -> None:
        video = worker.backstage.makes("video")
        operations = [
            (await worker.upstream.submit(worker.access, Order(spec=video, prompt="a cat")))[0] for _ in range(5)
        ]

        statuses = await worker.upstream.poll(worker.access, operations)

        assert set(statuses) == {operation.name for operation in operations}

    async def test_foreign_operation_does_not_hide_the_others(self, worker: Worker, backstage: Backstage) -> None:
        video = backstage.makes("video")
        stranger = await hire(backstage)
        order = Order(spec=video, prompt="a cat")
        mine, _ = await worker.upstream.submit(worker.access, order)
        foreign, _ = await stranger.upstream.submit(stranger.access, order)

        statuses = await worker.upstream.poll(worker.access, [mine, foreign])

        assert statuses[mine.name] == OperationStatus()
        assert foreign.name not in statuses or isinstance(statuses[foreign.name].error, UpstreamNotFoundError)

    async def test_video_that_fails_late_says_why_and_costs_nothing(self, worker: Worker) -> None:
        worker.backstage.has(Offer.LATE_FAILURES)
        video = worker.backstage.makes("video")
        operation, _ = await worker.upstream.submit(
            worker.access, Order(spec=video, prompt=worker.backstage.late_prompt)
        )

        status = await worker.outcome(operation)

        assert status.product is None
        assert isinstance(status.error, ContentBlockedError)
        assert await worker.has_all_its_credits()

    async def test_media_that_is_not_there_is_not_found(self, worker: Worker) -> None:
        with pytest.raises(UpstreamNotFoundError):
            await all_of(worker.upstream.fetch(worker.access, Product("nothing-of-this-name")))

    async def test_product_that_came_with_its_bytes_needs_no_call(self, worker: Worker) -> None:
        assert await all_of(worker.upstream.fetch(worker.access, Product("x", data=b"bytes"))) == b"bytes"

    async def test_deleted_product_is_gone(self, worker: Worker) -> None:
        worker.backstage.has(Offer.DELETION)
        picture = worker.backstage.makes("picture")
        product = (await worker.upstream.produce(worker.access, Order(spec=picture, prompt="a mug")))[0]

        await cast(DeletesProducts, worker.upstream).delete(worker.access, [product.name])

        with pytest.raises(UpstreamNotFoundError):
            await all_of(worker.upstream.fetch(worker.access, Product(product.name)))

    async def test_cancelled_call_ends_at_once_and_leaves_the_upstream_usable(self, worker: Worker) -> None:
        picture = worker.backstage.makes("picture")
        call = asyncio.ensure_future(worker.upstream.produce(worker.access, Order(spec=picture, prompt="a mug")))
        await asyncio.sleep(0)
        is_cancelled = call.cancel()
        await asyncio.wait({call}, timeout=CANCELLED_WITHIN_S)

        assert call.done(), "A call that is cancelled has to end."
        assert call.cancelled() or not is_cancelled, "A call that is cancelled has to end with CancelledError."
        assert await worker.has_all_its_credits()

    async def test_reading_of_bytes_can_be_given_up_half_way(self, worker: Worker) -> None:
        picture = worker.backstage.makes("picture")
        product = (await worker.upstream.produce(worker.access, Order(spec=picture, prompt="a mug")))[0]

        chunks = worker.upstream.fetch(worker.access, product)
        assert await anext(chunks)
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()

        assert await all_of(worker.upstream.fetch(worker.access, product))

    async def test_serves_what_it_can_make(self, backstage: Backstage) -> None:
        made = [backstage.picture, backstage.video, backstage.frames, backstage.references]
        made += [backstage.larger_picture, backstage.larger_video]

        assert any(made)
        assert all(backstage.upstream.serves(spec) for spec in made if spec is not None)

    async def test_does_not_serve_what_it_cannot_make(self, backstage: Backstage) -> None:
        assert not backstage.upstream.serves(backstage.unserved)

    async def test_models_that_it_offers_itself_are_the_same_at_every_call_and_make_a_catalog(
        self, backstage: Backstage
    ) -> None:
        if isinstance(backstage.upstream, OffersModels):
            offered = list(backstage.upstream.models())

            assert list(backstage.upstream.models()) == offered
            ModelCatalog(offered)  # raises when it cannot be made


def _enlarging(spec: ModelSpec, made: Product) -> Order:
    """As it is ordered long after: what is kept of the product is its name and what the upstream needs besides."""
    return Order(spec=spec, stage=Stage.ENLARGE, source=Product(made.name, extra=made.extra))
