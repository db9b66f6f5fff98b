"""Asking for many videos at once, against the simulator."""

import pytest

from flow2api.domain.errors import CredentialExpiredError, UpstreamInvalidError
from flow2api.domain.generation import Operation, OperationStatus, Order
from flow2api.domain.ports.upstream import Access
from tests.integration.flow.stage import VIDEO, FlowStage

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def begin(stage: FlowStage, access: Access, count: int) -> list[Operation]:
    await stage.control.configure(video_s=1000.0)
    return [(await stage.flow.submit(access, Order(spec=VIDEO, prompt="a cat")))[0] for _ in range(count)]


async def polls(stage: FlowStage) -> int:
    return (await stage.control.counters()).polls


async def test_many_operations_take_one_call(stage: FlowStage) -> None:
    _, access = await stage.sign_in()
    operations = await begin(stage, access, 12)

    statuses = await stage.flow.poll(access, operations)

    assert len(statuses) == 12
    assert await polls(stage) == 1


async def test_service_that_takes_few_is_asked_for_each_and_remembered(stage: FlowStage) -> None:
    await stage.control.configure(poll_batch_limit=1)
    _, access = await stage.sign_in()
    operations = await begin(stage, access, 5)

    first = await stage.flow.poll(access, operations)
    after_first = await polls(stage)
    second = await stage.flow.poll(access, operations)

    assert len(first) == len(second) == 5
    assert after_first == 6
    assert await polls(stage) == 11


async def test_one_bad_operation_does_not_end_batches(stage: FlowStage) -> None:
    _, access = await stage.sign_in()
    _, other = await stage.sign_in()
    mine, foreign = await begin(stage, access, 3), await begin(stage, other, 1)

    await stage.flow.poll(access, [*mine, *foreign])
    before = await polls(stage)
    statuses = await stage.flow.poll(access, mine)

    assert statuses == {operation.name: OperationStatus() for operation in mine}
    assert await polls(stage) == before + 1


async def test_dead_access_token_is_raised_and_not_pinned_on_an_operation(stage: FlowStage) -> None:
    account, access = await stage.sign_in()
    operations = await begin(stage, access, 3)
    await stage.control.kill_access_tokens(account.id)

    with pytest.raises(CredentialExpiredError):
        await stage.flow.poll(access, operations)


async def test_silence_about_an_operation_leaves_it_out(stage: FlowStage) -> None:
    _, access = await stage.sign_in()
    operations = await begin(stage, access, 2)
    await stage.control.add_fault("empty_media", call="poll_videos")

    assert await stage.flow.poll(access, operations) == {}


async def test_operation_of_another_adapter_is_refused(stage: FlowStage) -> None:
    _, access = await stage.sign_in()

    with pytest.raises(UpstreamInvalidError):
        await stage.flow.poll(access, [Operation("x", "not ours")])
