"""Pictures: two writes, nothing lost that was held back or not enlarged, nothing paid twice."""

from dataclasses import replace

import pytest

from flow2api.domain.account import CallKind, RestReason
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.errors import (
    ContentBlockedError,
    CredentialRevokedError,
    MediaGoneError,
    UpstreamInvalidError,
    UpstreamUnavailableError,
)
from flow2api.domain.generation import Failed, Finished, Input, InputRole, Order, Phase, Product, Stage, State
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.upstream import Access
from flow2api.testing.fakes.players import FakeCall
from tests.unit.domain.usecases import stage as stages
from tests.unit.domain.usecases.stage import LARGE_PAINT, LARGER_PAINT, PAID_PAINT, PAINT, swap


async def test_waits_for_two_writes_only(stage: stages.Stage) -> None:
    await stage.accounts(3)
    stage.tables.writes = 0

    finished = await stage.made(PAINT)

    assert stage.tables.writes == 2
    assert stage.phases() == [Phase.SUBMITTING, State.COMPLETED]
    assert stage.stored(finished.generation.id).results == (finished.media[0].id,)
    assert finished.media[0].id in stage.tables.media
    assert [call.name for call in stage.upstream.calls] == ["produce", "fetch"]


async def test_row_is_there_before_the_account_is_asked(stage: stages.Stage) -> None:
    await stage.accounts(1)
    gate = stage.upstream.hold("produce")
    events = stage.events(PAINT)
    accepted = await anext(events)
    while not stage.upstream.count("produce"):
        await stage.clock.sleep(0.1)

    row = stage.stored(accepted.generation.id)
    assert (row.state, row.phase, row.account_id, row.attempts) == (State.RUNNING, Phase.SUBMITTING, 1, 1)
    assert row.workspace == stage.known(1).workspace
    gate.set()
    assert isinstance([event async for event in events][-1], Finished)


async def test_media_tells_where_it_comes_from(stage: stages.Stage) -> None:
    await stage.accounts(1)
    finished = await stage.made(PAINT, prompt="a lake")
    (media,) = finished.media
    assert (media.prompt, media.model, media.account_id, media.key_id) == ("a lake", "paint", 1, 1)
    assert (media.width, media.height, media.content_type) == (1376, 768, "image/jpeg")
    assert media.generation_id == finished.generation.id
    assert media.expires_at == finished.generation.expires_at


async def test_hands_inputs_to_the_account_first(stage: stages.Stage) -> None:
    await stage.accounts(1)
    picture = await stage.media()
    finished = await stage.made(PAINT, inputs=(Input(picture.id, InputRole.REFERENCE),))
    assert [call.name for call in stage.upstream.calls] == ["upload", "produce", "fetch"]
    assert finished.media[0].parent_id == picture.id


async def test_several_in_one_call_and_those_held_back_are_told(stage: stages.Stage) -> None:
    await stage.accounts(1)
    stage.configure(pictures_per_call=4)
    original = stage.upstream.produce

    async def stingy(access: Access, order: Order) -> list[Product]:
        return list(await original(access, order))[:3]

    swap(stage.upstream, produce=stingy)
    finished = await stage.made(PAINT, count=4)
    assert len(finished.media) == 3
    assert finished.generation.warnings == ("The service held back 1 of 4 pictures.",)


@pytest.mark.parametrize("spec", [PAINT, PAID_PAINT])
async def test_nothing_at_all_is_a_refusal_of_the_filter(stage: stages.Stage, spec: ModelSpec) -> None:
    await stage.accounts(2)

    async def nothing(access: Access, order: Order) -> list[Product]:
        stage.upstream.calls.append(FakeCall("produce", access.account_id, order))
        return []

    swap(stage.upstream, produce=nothing)
    failed = await stage.end(spec)
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, ContentBlockedError)
    assert stage.upstream.count("produce") == 1
    assert stage.known(1).streak == 0


async def test_product_that_upstream_keeps_nothing_of_is_uploaded_when_it_is_an_input(stage: stages.Stage) -> None:
    await stage.accounts(1)
    original = stage.upstream.produce

    async def nameless(access: Access, order: Order) -> list[Product]:
        return [
            replace(product, name="", data=b"\xff\xd8\xff\xe0" + bytes(64)) for product in await original(access, order)
        ]

    swap(stage.upstream, produce=nameless)
    (made,) = (await stage.made(PAINT)).media

    await stage.made(PAINT, inputs=(Input(made.id, InputRole.REFERENCE),))

    assert made.upstream_name is None
    assert stage.upstream.count("upload") == 1


async def test_larger_one_that_is_made_at_once_is_not_enlarged(stage: stages.Stage) -> None:
    await stage.accounts(1)
    finished = await stage.made(replace(LARGE_PAINT, at_once=True))
    assert stage.upstream.count("produce") == 1
    assert finished.generation.warnings == ()


class TestEnlarging:
    async def test_asks_the_same_account_for_the_larger_one(self, stage: stages.Stage) -> None:
        await stage.accounts(2)
        finished = await stage.made(LARGE_PAINT)
        orders = [call.order for call in stage.upstream.calls if call.name == "produce"]
        assert [order.stage for order in orders if order] == [Stage.MAKE, Stage.ENLARGE]
        assert finished.generation.warnings == ()
        assert finished.media[0].upstream_name is not None
        assert stage.upstream.count("produce", 1) == 2

    @pytest.mark.parametrize(
        "error",
        [UpstreamUnavailableError("down", reached=True), ContentBlockedError(), UpstreamInvalidError("garbage")],
        ids=lambda error: type(error).__name__,
    )
    async def test_failure_leaves_the_plain_one_and_a_warning(self, stage: stages.Stage, error: Exception) -> None:
        await stage.accounts(2)
        stage.upstream.fail("produce", error, nth=2)
        finished = await stage.made(LARGE_PAINT)
        assert "plain size" in finished.generation.warnings[0]
        assert stage.stored(finished.generation.id).state is State.COMPLETED
        assert stage.known(1).streak == 0

    async def test_nothing_sent_back_leaves_the_plain_one(self, stage: stages.Stage) -> None:
        await stage.accounts(1)
        original = stage.upstream.produce

        async def forgetful(access: Access, order: Order) -> list[Product]:
            products = list(await original(access, order))
            return [] if order.stage is Stage.ENLARGE else products

        swap(stage.upstream, produce=forgetful)
        assert "plain size" in (await stage.made(LARGE_PAINT)).generation.warnings[0]

    async def test_dead_session_is_another_accounts_turn(self, stage: stages.Stage) -> None:
        await stage.accounts(2)
        stage.upstream.fail("produce", CredentialRevokedError("gone"), nth=2)
        finished = await stage.made(LARGE_PAINT)
        assert finished.generation.account_id == 2
        assert stage.known(1).rest_of(RestReason.AUTH_EXPIRED) is not None


async def test_paid_picture_that_was_made_is_not_made_again_elsewhere(stage: stages.Stage) -> None:
    await stage.accounts(2)
    stage.upstream.fail("fetch", UpstreamUnavailableError("down", reached=True), times=None)
    failed = await stage.end(PAID_PAINT)
    assert isinstance(failed, Failed)
    assert failed.error.code == "upstream_unavailable"  # type: ignore[attr-defined]
    assert stage.upstream.count("produce") == 1


async def test_free_picture_that_cannot_be_fetched_is_made_by_another_account(stage: stages.Stage) -> None:
    await stage.accounts(2)
    stage.upstream.fail("fetch", UpstreamUnavailableError("down", reached=True), times=None, account_id=1)
    assert (await stage.made(PAINT)).generation.account_id == 2


class TestEnlargingWhatWasMadeBefore:
    async def test_account_that_made_it_is_asked_once_and_nothing_is_uploaded(self, stage: stages.Stage) -> None:
        _, second, _ = await stage.accounts(3)
        source = await stage.made_before(second, MediaKind.IMAGE)

        finished = await stage.made(LARGER_PAINT, inputs=(Input(source.id, InputRole.SOURCE),))

        (call,) = stage.upstream.calls
        assert call.order is not None
        assert (call.name, call.account_id, call.order.stage) == ("produce", second.id, Stage.ENLARGE)
        assert call.order.source is not None
        assert call.order.source.name == source.upstream_name
        assert stage.phases() == [Phase.SUBMITTING, State.COMPLETED]
        (media,) = finished.media
        assert (media.parent_id, media.account_id, media.upstream_name) == (source.id, 2, source.upstream_name)
        assert (media.width or 0) > (source.width or 0)

    async def test_failure_is_told_and_counts_as_one_at_enlarging(self, stage: stages.Stage) -> None:
        (account,) = await stage.accounts(1)
        source = await stage.made_before(account, MediaKind.IMAGE)
        stage.upstream.fail("produce", UpstreamUnavailableError("The service is busy.", reached=True))

        failed = await stage.end(LARGER_PAINT, inputs=(Input(source.id, InputRole.SOURCE),))

        assert isinstance(failed, Failed)
        assert isinstance(failed.error, UpstreamUnavailableError)
        assert stage.upstream.count("produce") == 1
        assert {one.call for one in stage.known(1).streaks} <= {CallKind.ENLARGEMENT}

    async def test_what_the_upstream_does_not_know_any_more_is_asked_for_once(self, stage: stages.Stage) -> None:
        (account,) = await stage.accounts(1)
        source = await stage.made_before(account, MediaKind.IMAGE)
        del stage.upstream.owners[source.upstream_name or ""]

        failed = await stage.end(LARGER_PAINT, inputs=(Input(source.id, InputRole.SOURCE),))

        assert isinstance(failed, Failed)
        assert failed.generation.fault is not None
        assert failed.generation.fault.code == "upstream_entity_not_found"
        assert stage.upstream.count("produce") == 1

    async def test_source_that_was_deleted_meanwhile_is_gone(self, stage: stages.Stage) -> None:
        (account,) = await stage.accounts(1)
        job = stage.job(LARGER_PAINT, inputs=(Input("media_gone", InputRole.SOURCE),))
        with pytest.raises(MediaGoneError):
            await stage.makers.pictures(job, account)
        assert stage.upstream.count("produce") == 0
