"""A caller's fault never touches an account's health: every error that is his, at every kind of call."""

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.account import CallKind
from flow2api.domain.catalog import ModelSpec
from flow2api.domain.generation import Failed, Input, InputRole
from tests.unit.domain.usecases.stage import FILM, LARGE_FILM, LARGE_PAINT, PAINT, Stage

CALLERS = [
    tree.RequestError("?"),
    tree.UnknownModelError("?"),
    tree.UnsupportedInputError("?"),
    tree.ContentBlockedError("SEXUAL"),
    tree.InvalidApiKeyError(presented=True),
    tree.KeyScopeError("images"),
    tree.ModelNotAllowedError("?"),
    tree.IdempotencyConflictError("?"),
    tree.GenerationNotFoundError("?"),
    tree.NotReadyError("?"),
    tree.ConflictError("?"),
    tree.AccountNotFoundError(7),
    tree.RecordNotFoundError(7),
    tree.KeyLimitError(1, 2.5),
    tree.OperatorError("?"),
    tree.UpstreamRejectedError("400"),
    tree.UpstreamDriftError("unknown name"),
    tree.UpstreamNotFoundError("404"),
]

NOBODYS = [
    tree.UpstreamOverloadedError("busy"),
    tree.UpstreamPausedError(30),
    tree.ProxyUnavailableError("?", is_certain=True),
    tree.StorageBusyError("locked"),
    tree.StorageFullError("full"),
    tree.MediaGoneError("gone"),
    tree.CoordinationError("gone"),
    tree.ShuttingDownError("stopping"),
    ZeroDivisionError(),
]


def name_of(value: object) -> str:
    return type(value).__name__ if isinstance(value, Exception) else str(value)


def test_every_error_of_a_caller_is_looked_at_here() -> None:
    looked_at = {type(error) for error in CALLERS}
    ours = {cls for cls in tree.RequestError.__subclasses__() if cls.__module__.startswith("flow2api.domain.errors")}
    assert ours <= looked_at


@pytest.mark.parametrize("call", CallKind)
@pytest.mark.parametrize("error", [*CALLERS, *NOBODYS], ids=name_of)
async def test_leaves_the_account_as_it_is(stage: Stage, error: Exception, call: CallKind) -> None:
    await stage.accounts(3)
    stage.configure(error_threshold=1)
    for account_id in (2, 3):
        await stage.tend.went_well(account_id, PAINT, call=call)
    before, stage.tables.writes = stage.known(1), 0
    events = len(stage.tables.health)
    for _ in range(5):
        await stage.tend.went_wrong(1, error, PAINT, call=call)
    assert stage.known(1) == before
    assert (stage.tables.writes, len(stage.tables.health)) == (0, events)


@pytest.mark.parametrize("call", ["produce", "submit", "upload", "poll"])
@pytest.mark.parametrize("error", [tree.ContentBlockedError(), tree.UpstreamRejectedError("400")], ids=name_of)
async def test_ten_bad_prompts_in_a_row_stop_no_account(stage: Stage, call: str, error: Exception) -> None:
    await stage.accounts(2)
    picture = await stage.media()
    stage.upstream.fail(call, error, times=None)
    inputs = (Input(picture.id, InputRole.REFERENCE),) if call == "upload" else ()
    spec = PAINT if call in ("produce", "upload") else FILM
    stage.configure(video_timeout_s=30.0)
    for _ in range(10):
        assert isinstance(await stage.end(spec, inputs=inputs), Failed)
    assert all(one.rests == () and one.streaks == () for one in stage.pool)


@pytest.mark.parametrize("spec", [LARGE_PAINT, LARGE_FILM], ids=lambda spec: spec.name)
async def test_enlargement_that_the_filter_refuses_stops_nothing(stage: Stage, spec: ModelSpec) -> None:
    await stage.accounts(1)
    stage.upstream.fail("produce" if spec is LARGE_PAINT else "submit", tree.ContentBlockedError(), nth=2, times=None)
    await stage.made(spec)
    assert not stage.known(1).rests
    assert not stage.known(1).streaks
