from typing import Any

import msgspec
import pytest

from flow2api.adapters.flow.lineage import Clip
from flow2api.adapters.flow.polling import ALONE_FOR_S, Handle, Polling
from flow2api.domain.errors import (
    CredentialExpiredError,
    UpstreamDriftError,
    UpstreamInvalidError,
    UpstreamNotFoundError,
    UpstreamUnavailableError,
)
from flow2api.domain.generation import Operation, OperationStatus
from flow2api.libcurl.calls import Answer, Call
from flow2api.testing.fakes.clock import FakeClock
from tests.unit.adapters.flow.scripted import ACCESS, ScriptedTransport, Step, caller_over, ok, refused

PREFIX = "MEDIA_GENERATION_STATUS_"


def later(name: str, clips: tuple[Clip, ...] = ()) -> Operation:
    item = msgspec.json.encode({"name": name, "projectId": "p1"})
    return Operation(name, Handle("2026-06", msgspec.Raw(item), clips).text())


def seed(name: str) -> Operation:
    return Operation(name, Handle("seed", msgspec.Raw(msgspec.json.encode({"operation": {"name": name}}))).text())


def polling(clock: FakeClock, *steps: Step, batch_size: int = 100) -> tuple[Polling, ScriptedTransport]:
    transport = ScriptedTransport(list(steps))
    return Polling(caller_over(transport, clock), clock, batch_size=batch_size), transport


def running(call: Call) -> Answer:
    """Everything that is asked for is active."""
    asked = msgspec.json.decode(call.body or b"")
    if "operations" in asked:
        names = [entry["operation"]["name"] for entry in asked["operations"]]
        return ok({"operations": [{"operation": {"name": name}, "status": PREFIX + "ACTIVE"} for name in names]})
    names = [entry["name"] for entry in asked["media"]]
    return ok(
        {"media": [{"name": name, "mediaStatus": {"mediaGenerationStatus": PREFIX + "ACTIVE"}} for name in names]}
    )


def single_only(call: Call) -> Answer:
    """More than one at once is refused."""
    asked: dict[str, list[Any]] = msgspec.json.decode(call.body or b"")
    return running(call) if len(asked["media"]) == 1 else refused(400, message="Too many.")


async def test_operations_of_two_eras_are_asked_for_in_their_own_words() -> None:
    poller, transport = polling(FakeClock(), running)

    statuses = await poller.poll(ACCESS, [seed("a"), later("b"), seed("c")])

    assert statuses == {name: OperationStatus() for name in "abc"}
    assert transport.body(0) == {"operations": [{"operation": {"name": "a"}}, {"operation": {"name": "c"}}]}
    assert transport.body(1) == {"media": [{"name": "b", "projectId": "p1"}]}


async def test_batches_keep_to_their_size() -> None:
    poller, transport = polling(FakeClock(), running, batch_size=3)

    statuses = await poller.poll(ACCESS, [later(str(number)) for number in range(7)])

    assert len(statuses) == 7
    assert [len(transport.body(place)["media"]) for place in range(3)] == [3, 3, 1]


async def test_refused_number_is_remembered_for_a_while_only() -> None:
    clock = FakeClock()
    poller, transport = polling(clock, single_only)
    operations = [later("a"), later("b")]

    await poller.poll(ACCESS, operations)
    assert len(transport.calls) == 3
    await poller.poll(ACCESS, operations)
    assert len(transport.calls) == 5
    clock.advance(ALONE_FOR_S)
    await poller.poll(ACCESS, operations)
    assert len(transport.calls) == 8


async def test_bad_operation_gets_the_blame_and_batches_go_on() -> None:
    def answer(call: Call) -> Answer:
        return (
            refused(404, message="Requested entity was not found.") if b'"bad"' in (call.body or b"") else running(call)
        )

    poller, transport = polling(FakeClock(), answer)

    statuses = await poller.poll(ACCESS, [later("good"), later("bad")])
    await poller.poll(ACCESS, [later("good"), later("fine")])

    assert statuses["good"] == OperationStatus()
    assert isinstance(statuses["bad"].error, UpstreamNotFoundError)
    assert len(transport.calls) == 4


@pytest.mark.parametrize(
    ("step", "error"),
    [
        (refused(401), CredentialExpiredError),
        (refused(500), UpstreamUnavailableError),
        (refused(400, message='Unknown name "media"'), UpstreamDriftError),
        (UpstreamUnavailableError("x", reached=True), UpstreamUnavailableError),
        (ok([]), UpstreamInvalidError),
    ],
)
async def test_trouble_with_the_call_is_not_pinned_on_an_operation(step: Step, error: type[Exception]) -> None:
    poller, _ = polling(FakeClock(), step)

    for operations in ([later("a")], [later("a"), later("b")]):
        with pytest.raises(error):
            await poller.poll(ACCESS, operations)


async def test_operation_that_is_not_mentioned_is_left_out() -> None:
    poller, _ = polling(FakeClock(), ok({"media": [{"name": "a"}]}))

    assert set(await poller.poll(ACCESS, [later("a"), later("b")])) == {"a"}


@pytest.mark.parametrize("payload", ["", "x", "{}", '{"era": "1999", "item": {}}'])
async def test_record_that_is_not_ours_is_refused(payload: str) -> None:
    poller, _ = polling(FakeClock(), running)

    with pytest.raises(UpstreamInvalidError):
        await poller.poll(ACCESS, [Operation("a", payload)])


async def test_nothing_to_ask_needs_no_call() -> None:
    poller, transport = polling(FakeClock(), running)

    assert await poller.poll(ACCESS, []) == {}
    assert transport.calls == []
