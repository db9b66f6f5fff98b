import pytest

from flow2api.adapters.flow.joining import LONGEST_S, Joining, join_body
from flow2api.adapters.flow.lineage import Clip, Lineage
from flow2api.domain.errors import CredentialExpiredError, UpstreamUnavailableError
from flow2api.domain.generation import OperationStatus, Product
from flow2api.testing.fakes.clock import FakeClock
from tests.unit.adapters.flow.scripted import ACCESS, ScriptedTransport, Step, caller_over, ok, refused

CLIPS = (Clip("first", 8), Clip("second", 6))
MADE = Product("second", extra=Lineage(workflow="w1").text())
ALONE = Product("second", extra=Lineage(workflow="w1", clips=CLIPS[1:]).text(), seconds=6)
STARTED = ok({"operation": {"operation": {"name": "join1"}}})
ACTIVE = ok({"status": "MEDIA_GENERATION_STATUS_ACTIVE"})
DONE = ok({"status": "MEDIA_GENERATION_STATUS_SUCCESSFUL", "outputUri": "https://x.example/long"})
DOWN = UpstreamUnavailableError("x", reached=True)


def joining(clock: FakeClock, *steps: Step) -> tuple[Joining, ScriptedTransport]:
    transport = ScriptedTransport(list(steps))
    return Joining(caller_over(transport, clock), clock), transport


async def follow(joins: Joining) -> OperationStatus:
    return await joins.follow(ACCESS, CLIPS, MADE)


async def test_join_is_begun_once_and_followed_to_its_end() -> None:
    joins, transport = joining(FakeClock(), STARTED, ACTIVE, DONE)

    assert not (await follow(joins)).is_final
    assert not (await follow(joins)).is_final
    product = (await follow(joins)).product

    assert product is not None
    assert (product.name, product.url, product.seconds) == ("second", "https://x.example/long", 13)
    assert Lineage.of(product) == Lineage(workflow="w1", clips=CLIPS)
    assert [call.url.rpartition(":")[2] for call in transport.calls] == [
        "runVideoFxConcatenation",
        "runVideoFxCheckConcatenationStatus",
        "runVideoFxCheckConcatenationStatus",
    ]
    assert transport.body(1) == {"operation": {"operation": {"name": "join1"}}}


def test_each_clip_but_the_first_loses_the_second_that_it_repeats() -> None:
    assert join_body(CLIPS) == (
        b'{"inputVideos":[{"mediaGenerationId":"first","lengthNanos":8000,"startTimeOffset":"0s","endTimeOffset":"8s"},'
        b'{"mediaGenerationId":"second","lengthNanos":6000,"startTimeOffset":"1s","endTimeOffset":"6s"}]}'
    )


async def test_joined_video_may_come_inside_the_answer() -> None:
    joins, _ = joining(FakeClock(), STARTED, ok({"status": "SUCCESSFUL", "encodedVideo": "QUJD"}))

    await follow(joins)
    product = (await follow(joins)).product

    assert product is not None
    assert (product.url, product.data) == (None, b"ABC")


@pytest.mark.parametrize(
    "steps",
    [
        (refused(400), refused(400)),
        (STARTED, ok({"status": "MEDIA_GENERATION_STATUS_FAILED"})),
        (STARTED, ok({"status": "MEDIA_GENERATION_STATUS_ERROR_X"})),
        (STARTED, ok({"status": "MEDIA_GENERATION_STATUS_SUCCESSFUL"})),
    ],
    ids=["not begun", "failed", "error", "done without bytes"],
)
async def test_join_that_fails_leaves_the_last_clip_alone(steps: tuple[Step, Step]) -> None:
    joins, _ = joining(FakeClock(), *steps)

    statuses = [await follow(joins), await follow(joins)]

    assert statuses[-1] == OperationStatus(product=ALONE)


@pytest.mark.parametrize("steps", [(DOWN,), (STARTED, DOWN), (STARTED, ACTIVE)], ids=["begin", "look", "never done"])
async def test_join_that_takes_too_long_leaves_the_last_clip_alone(steps: tuple[Step, ...]) -> None:
    clock = FakeClock()
    joins, _ = joining(clock, *steps)

    assert not (await follow(joins)).is_final
    clock.advance(LONGEST_S - 1)
    assert not (await follow(joins)).is_final
    clock.advance(1)

    assert await follow(joins) == OperationStatus(product=ALONE)


async def test_dead_access_token_loses_no_join() -> None:
    joins, _ = joining(FakeClock(), STARTED, refused(401), DONE)
    await follow(joins)

    with pytest.raises(CredentialExpiredError):
        await follow(joins)

    assert (await follow(joins)).product is not None
