"""What every upstream promises, asked of the fake, of Flow in both of its eras, and of the Gemini API.

What only some promise is marked as such (``conftest.py`` knows which).
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Protocol, cast

import pytest
import pytest_asyncio

from flow2api.adapters.flow.payloads import TIER_WORDS
from flow2api.domain.account import Credentials, Tier
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import (
    ContentBlockedError,
    CredentialExpiredError,
    CredentialRevokedError,
    UpstreamNotFoundError,
    UpstreamRateLimitedError,
)
from flow2api.domain.generation import InputRole, Operation, OperationStatus, Order, Product
from flow2api.domain.media import sniff_content_type
from flow2api.domain.ports.upstream import Access, DeletesProducts, UploadedPicture, Upstream
from flow2api.domain.secret import Secret
from flow2api.testing.simulator import SimulatorProcess
from tests.fakes.clock import FakeClock
from tests.fakes.upstream import FakePlayer, FakeUpstream
from tests.integration.flow import stage as flow
from tests.integration.flow.stage import FlowStage, all_of, jpeg
from tests.integration.gemini import stage as gemini
from tests.integration.gemini.stage import GeminiStage

pytestmark = pytest.mark.asyncio(loop_scope="module")

ERAS = ("seed", "2026-06")


@dataclass(frozen=True)
class Specs:
    """Models of an upstream."""

    picture: ModelSpec
    video: ModelSpec
    frames: ModelSpec
    references: ModelSpec
    unserved: ModelSpec


FLOW_SPECS = Specs(flow.PICTURE, flow.VIDEO, flow.FRAMES, flow.REFERENCES, flow.SPECS["omni"])
GEMINI_SPECS = Specs(gemini.PICTURE, gemini.VIDEO, gemini.FRAMES, gemini.REFERENCES, gemini.IMAGEN)


class Backstage(Protocol):
    """What the suite has to arrange behind an upstream's back."""

    upstream: Upstream
    specs: Specs
    tells_credits: bool

    async def new_account(self, *, tier: Tier = Tier.PRO, credit: int = 1000) -> Credentials: ...

    async def revoke(self, credentials: Credentials) -> None: ...

    async def kill_access(self, credentials: Credentials) -> None: ...

    async def let_videos_take(self, seconds: float) -> None: ...

    async def pass_time(self, seconds: float) -> None: ...


class FakeBackstage:
    """Behind the fake's."""

    specs = FLOW_SPECS
    tells_credits = True

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.fake = FakeUpstream(self.clock, unserved={"omni"})
        self.upstream: Upstream = self.fake

    async def new_account(self, *, tier: Tier = Tier.PRO, credit: int = 1000) -> Credentials:
        return self.fake.add_player(tier=tier, credits=credit).credentials

    async def revoke(self, credentials: Credentials) -> None:
        self._player(credentials).is_revoked = True

    async def kill_access(self, credentials: Credentials) -> None:
        self._player(credentials).kill_access_tokens()

    async def let_videos_take(self, seconds: float) -> None:
        self.fake.video_s = seconds

    async def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def _player(self, credentials: Credentials) -> FakePlayer:
        token = credentials.session_token.reveal()
        return next(player for player in self.fake.players if token in player.session_tokens)


class FlowBackstage:
    """Behind Flow's."""

    tells_credits = True

    def __init__(self, simulator: SimulatorProcess, era: str) -> None:
        self.stage = FlowStage(simulator, era)
        self.upstream: Upstream = self.stage.flow
        video = flow.VIDEO
        foreign = replace(video, wire={**video.wire, "keys": {"seed": "veo_3_1_t2v_fast"}})
        self.specs = FLOW_SPECS if era == "seed" else replace(FLOW_SPECS, unserved=foreign)
        self._ids: dict[str, str] = {}

    async def new_account(self, *, tier: Tier = Tier.PRO, credit: int = 1000) -> Credentials:
        account = await self.stage.control.add_account(tier=TIER_WORDS[tier], credits=credit)
        self._ids[account.session_token] = account.id
        return Credentials(Secret(account.session_token))

    async def revoke(self, credentials: Credentials) -> None:
        await self.stage.control.patch_account(self._id(credentials), revoked="empty")

    async def kill_access(self, credentials: Credentials) -> None:
        await self.stage.control.kill_access_tokens(self._id(credentials))

    async def let_videos_take(self, seconds: float) -> None:
        await self.stage.control.configure(video_s=seconds)
        await self.stage.control.set_speed(0)

    async def pass_time(self, seconds: float) -> None:
        await self.stage.control.advance(seconds)

    def _id(self, credentials: Credentials) -> str:
        return self._ids[credentials.session_token.reveal()]


class GeminiBackstage:
    """Behind the Gemini API's. Its accounts have neither plan nor credits."""

    specs = GEMINI_SPECS
    tells_credits = False

    def __init__(self, simulator: SimulatorProcess) -> None:
        self.stage = GeminiStage(simulator)
        self.upstream: Upstream = self.stage.gemini
        self._ids: dict[str, str] = {}

    async def new_account(self, *, tier: Tier = Tier.PRO, credit: int = 1000) -> Credentials:
        account = await self.stage.control.add_account()
        self._ids[account.api_key] = account.id
        return Credentials(Secret(account.api_key))

    async def revoke(self, credentials: Credentials) -> None:
        await self.stage.control.patch_account(self._ids[credentials.session_token.reveal()], revoked="empty")

    async def kill_access(self, credentials: Credentials) -> None:
        await self.revoke(credentials)

    async def let_videos_take(self, seconds: float) -> None:
        await self.stage.control.configure(video_s=seconds)
        await self.stage.control.set_speed(0)

    async def pass_time(self, seconds: float) -> None:
        await self.stage.control.advance(seconds)


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["fake", *ERAS, "gemini"])
async def backstage(request: pytest.FixtureRequest) -> AsyncIterator[Backstage]:
    if request.param == "fake":
        yield FakeBackstage()
        return
    async with SimulatorProcess(era=request.param if request.param in ERAS else ERAS[-1]) as simulator:
        stage: Backstage
        stage = GeminiBackstage(simulator) if request.param == "gemini" else FlowBackstage(simulator, request.param)
        yield stage
        await stage.upstream.aclose()


@dataclass
class Worker:
    """An account at work."""

    upstream: Upstream
    backstage: Backstage
    credentials: Credentials
    access: Access

    @property
    def specs(self) -> Specs:
        return self.backstage.specs

    async def check_spent_nothing(self) -> None:
        allowance = await self.upstream.allowance(self.access)
        assert not self.backstage.tells_credits or allowance.credits == 1000

    async def upload(self) -> str:
        return await self.upstream.upload(self.access, UploadedPicture(jpeg(), "image/jpeg", 32, 18))

    async def outcome(self, operation: Operation) -> OperationStatus:
        await self.backstage.pass_time(60)
        return (await self.upstream.poll(self.access, [operation]))[operation.name]


@pytest_asyncio.fixture(loop_scope="module")
async def worker(backstage: Backstage) -> Worker:
    return await hire(backstage)


async def hire(backstage: Backstage, *, tier: Tier = Tier.PRO, credit: int = 1000) -> Worker:
    await backstage.let_videos_take(30)
    credentials = await backstage.new_account(tier=tier, credit=credit)
    exchanged = await backstage.upstream.exchange(credentials, None)
    access = Access(
        account_id=1,
        session_token=exchanged.credentials.session_token,
        access_token=exchanged.credentials.access_token,
        tier=tier,
    )
    workspace = await backstage.upstream.open_workspace(access, "contract")
    return Worker(backstage.upstream, backstage, credentials, replace(access, workspace=workspace))


async def test_exchange_brings_an_access_token_that_lives(backstage: Backstage) -> None:
    credentials = await backstage.new_account()

    exchanged = await backstage.upstream.exchange(credentials, None)

    now = exchanged.credentials.obtained_at
    assert now is not None
    assert exchanged.credentials.is_fresh(now)


@pytest.mark.promise("identity")
async def test_exchange_tells_who_it_is(backstage: Backstage) -> None:
    exchanged = await backstage.upstream.exchange(await backstage.new_account(), None)

    assert exchanged.email is not None
    assert exchanged.email == exchanged.email.casefold()


@pytest.mark.promise("sessions")
async def test_exchange_brings_the_rotated_session_token_and_the_old_one_stays_good(
    backstage: Backstage,
) -> None:
    credentials = await backstage.new_account()

    first = await backstage.upstream.exchange(credentials, None)
    again = await backstage.upstream.exchange(credentials, None)
    rotated = await backstage.upstream.exchange(first.credentials, None)

    tokens = {credentials.session_token, first.credentials.session_token, rotated.credentials.session_token}
    assert len(tokens) == 3
    assert again.email == rotated.email == first.email


async def test_exchange_refuses_a_session_that_was_revoked(backstage: Backstage) -> None:
    credentials = await backstage.new_account()
    await backstage.revoke(credentials)

    with pytest.raises(CredentialRevokedError):
        await backstage.upstream.exchange(credentials, None)


async def test_exchange_refuses_what_is_no_session(backstage: Backstage) -> None:
    with pytest.raises(CredentialRevokedError):
        await backstage.upstream.exchange(Credentials(Secret("eyJ" + "x" * 300)), None)


@pytest.mark.promise("credits")
@pytest.mark.parametrize(("tier", "credit"), [(Tier.FREE, 0), (Tier.PRO, 920), (Tier.ULTRA, 45_000)])
async def test_allowance_tells_plan_and_credits(backstage: Backstage, tier: Tier, credit: int) -> None:
    worker = await hire(backstage, tier=tier, credit=credit)

    allowance = await worker.upstream.allowance(worker.access)

    assert (allowance.tier, allowance.credits) == (tier, credit)


@pytest.mark.promise("sessions")
async def test_dead_access_token_is_told_apart_from_a_dead_session(worker: Worker) -> None:
    await worker.backstage.kill_access(worker.credentials)

    with pytest.raises(CredentialExpiredError):
        await worker.upstream.allowance(worker.access)
    with pytest.raises(CredentialExpiredError):
        await worker.upstream.produce(worker.access, Order(spec=worker.specs.picture, prompt="a mug"))
    with pytest.raises(CredentialExpiredError):
        await worker.upstream.submit(worker.access, Order(spec=worker.specs.video, prompt="a cat"))


@pytest.mark.promise("workspaces")
async def test_each_workspace_is_a_new_one(worker: Worker) -> None:
    other = await worker.upstream.open_workspace(worker.access, "another")

    assert other
    assert other != worker.access.workspace


@pytest.mark.promise("workspaces")
async def test_foreign_workspace_is_not_found(worker: Worker, backstage: Backstage) -> None:
    stranger = await hire(backstage)

    with pytest.raises(UpstreamNotFoundError):
        await worker.upstream.produce(
            replace(worker.access, workspace=stranger.access.workspace),
            Order(spec=worker.specs.picture, prompt="a mug"),
        )


async def test_produce_makes_as_many_different_pictures_as_were_ordered(worker: Worker) -> None:
    products = await worker.upstream.produce(
        worker.access, Order(spec=worker.specs.picture, prompt="a red mug", count=3, seed=7)
    )

    assert len(products) == 3
    names = [product.name for product in products if product.name]
    assert len({*names}) == len(names)
    contents = [await all_of(worker.upstream.fetch(worker.access, product)) for product in products]
    assert [sniff_content_type(content[:12]) for content in contents] == ["image/jpeg"] * 3
    assert len({*contents}) == 3


async def test_produce_takes_an_uploaded_picture(worker: Worker) -> None:
    order = Order(
        spec=worker.specs.picture, prompt="a mug like this", inputs=((InputRole.REFERENCE, await worker.upload()),)
    )

    products = await worker.upstream.produce(worker.access, order)

    assert len(products) == 1


async def test_produce_does_not_know_another_accounts_picture(worker: Worker, backstage: Backstage) -> None:
    stranger = await hire(backstage)
    order = Order(
        spec=worker.specs.picture, prompt="a mug like this", inputs=((InputRole.REFERENCE, await stranger.upload()),)
    )

    with pytest.raises(UpstreamNotFoundError):
        await worker.upstream.produce(worker.access, order)


async def end_of_video(worker: Worker, prompt: str) -> Product | None:
    """What becomes of a video; it may be refused at once or in the end."""
    operation, _ = await worker.upstream.submit(worker.access, Order(spec=worker.specs.video, prompt=prompt))
    status = await worker.outcome(operation)
    if status.error is not None:
        raise status.error
    return status.product


@pytest.mark.parametrize("word", ["unsafe", "filtered"])
async def test_refused_prompt_is_the_callers_fault(worker: Worker, word: str) -> None:
    with pytest.raises(ContentBlockedError):
        await worker.upstream.produce(worker.access, Order(spec=worker.specs.picture, prompt=f"something {word}"))
    with pytest.raises(ContentBlockedError):
        await end_of_video(worker, f"something {word}")
    await worker.check_spent_nothing()


async def test_submit_spends_and_names_each_operation_differently(worker: Worker) -> None:
    order = Order(spec=worker.specs.video, prompt="a cat")

    first, left_first = await worker.upstream.submit(worker.access, order)
    second, left_second = await worker.upstream.submit(worker.access, order)

    price = worker.specs.video.cost(Tier.PRO)
    assert first.name != second.name
    if worker.backstage.tells_credits:
        assert (left_first, left_second) == (1000 - price, 1000 - 2 * price)


@pytest.mark.promise("credits")
async def test_submit_without_credits_is_refused_as_exhausted(backstage: Backstage) -> None:
    worker = await hire(backstage, credit=5)

    with pytest.raises(UpstreamRateLimitedError) as refusal:
        await worker.upstream.submit(worker.access, Order(spec=worker.specs.video, prompt="a cat"))

    assert refusal.value.exhausted


async def test_video_runs_then_is_done_and_its_bytes_can_be_had(worker: Worker) -> None:
    operation, _ = await worker.upstream.submit(worker.access, Order(spec=worker.specs.video, prompt="a cat"))
    running = (await worker.upstream.poll(worker.access, [operation]))[operation.name]

    status = await worker.outcome(operation)

    assert not running.is_final
    assert status.product is not None
    data = await all_of(worker.upstream.fetch(worker.access, status.product))
    assert sniff_content_type(data[:12]) == "video/mp4"


@pytest.mark.promise("thumbnails")
async def test_video_has_a_thumbnail(worker: Worker) -> None:
    operation, _ = await worker.upstream.submit(worker.access, Order(spec=worker.specs.video, prompt="a cat"))
    product = (await worker.outcome(operation)).product
    assert product is not None

    data = await all_of(worker.upstream.fetch(worker.access, product, thumbnail=True))

    assert sniff_content_type(data[:12]) == "image/jpeg"


async def test_operation_can_be_asked_for_from_its_record_alone(worker: Worker) -> None:
    operation, _ = await worker.upstream.submit(worker.access, Order(spec=worker.specs.video, prompt="a cat"))

    status = await worker.outcome(Operation(operation.name, operation.payload))

    assert status.product is not None


@pytest.mark.parametrize(("model", "role"), [("frames", InputRole.START), ("references", InputRole.REFERENCE)])
async def test_video_is_made_from_pictures(worker: Worker, model: str, role: InputRole) -> None:
    order = Order(spec=getattr(worker.specs, model), prompt="it moves", inputs=((role, await worker.upload()),))

    operation, _ = await worker.upstream.submit(worker.access, order)

    assert (await worker.outcome(operation)).product is not None


async def test_poll_tells_of_many_operations_at_once(worker: Worker) -> None:
    operations = [
        (await worker.upstream.submit(worker.access, Order(spec=worker.specs.video, prompt="a cat")))[0]
        for _ in range(5)
    ]

    statuses = await worker.upstream.poll(worker.access, operations)

    assert set(statuses) == {operation.name for operation in operations}


async def test_foreign_operation_does_not_hide_the_others(worker: Worker, backstage: Backstage) -> None:
    stranger = await hire(backstage)
    order = Order(spec=worker.specs.video, prompt="a cat")
    mine, _ = await worker.upstream.submit(worker.access, order)
    foreign, _ = await stranger.upstream.submit(stranger.access, order)

    statuses = await worker.upstream.poll(worker.access, [mine, foreign])

    assert statuses[mine.name] == OperationStatus()
    assert foreign.name not in statuses or isinstance(statuses[foreign.name].error, UpstreamNotFoundError)


async def test_video_that_fails_late_says_why_and_costs_nothing(worker: Worker) -> None:
    operation, _ = await worker.upstream.submit(worker.access, Order(spec=worker.specs.video, prompt="a latefail cat"))

    status = await worker.outcome(operation)

    assert status.product is None
    assert isinstance(status.error, ContentBlockedError)
    await worker.check_spent_nothing()


async def test_media_that_is_not_there_is_not_found(worker: Worker) -> None:
    with pytest.raises(UpstreamNotFoundError):
        await all_of(worker.upstream.fetch(worker.access, Product("nothing-of-this-name")))


async def test_product_that_came_with_its_bytes_needs_no_call(worker: Worker) -> None:
    assert await all_of(worker.upstream.fetch(worker.access, Product("x", data=b"bytes"))) == b"bytes"


@pytest.mark.promise("deletion")
async def test_deleted_product_is_gone(worker: Worker) -> None:
    product = (await worker.upstream.produce(worker.access, Order(spec=worker.specs.picture, prompt="a mug")))[0]

    await cast("DeletesProducts", worker.upstream).delete(worker.access, [product.name])

    with pytest.raises(UpstreamNotFoundError):
        await all_of(worker.upstream.fetch(worker.access, Product(product.name)))


async def test_cancelled_call_leaves_the_upstream_usable(worker: Worker) -> None:
    cancelled = asyncio.ensure_future(
        worker.upstream.produce(worker.access, Order(spec=worker.specs.picture, prompt="a mug"))
    )
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled

    await worker.check_spent_nothing()


async def test_reading_of_bytes_can_be_given_up_half_way(worker: Worker) -> None:
    product = (await worker.upstream.produce(worker.access, Order(spec=worker.specs.picture, prompt="a mug")))[0]

    chunks = worker.upstream.fetch(worker.access, product)
    assert isinstance(chunks, AsyncGenerator)
    async with aclosing(chunks):
        async for first in chunks:
            assert first
            break

    assert await all_of(worker.upstream.fetch(worker.access, product))


async def test_serves_what_it_can_make(backstage: Backstage) -> None:
    assert backstage.upstream.serves(backstage.specs.picture)
    assert backstage.upstream.serves(backstage.specs.video)


async def test_does_not_serve_what_it_cannot_make(backstage: Backstage) -> None:
    assert not backstage.upstream.serves(backstage.specs.unserved)
