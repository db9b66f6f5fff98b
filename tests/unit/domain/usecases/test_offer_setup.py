"""A server without an operator has a setup code that is good, and tells each one once."""

import asyncio
from contextlib import suppress

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import StorageError
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.offer_setup import SETUP_CODE_LASTS
from tests.unit.domain.usecases.entrance import GOOD, Entrance

OWN = Secret("k7Qw-93hd-Zx0P-mm2L-vB8t-11")
LASTS_S = SETUP_CODE_LASTS.total_seconds()


@pytest.fixture
def entrance() -> Entrance:
    return Entrance()


async def kept_open(entrance: Entrance, own: Secret | None = None, rounds: int = 3) -> list[Secret]:
    """What is told until an operator comes, after so many rounds."""
    told: list[Secret] = []
    sleep = entrance.clock.sleep

    async def sleep_and_count(seconds: float) -> None:
        await sleep(seconds)
        if len(entrance.clock.slept) == rounds:
            await entrance.operator()

    entrance.clock.sleep = sleep_and_count  # type: ignore[method-assign]
    await entrance.offer.keep_open(own, told.append)
    return told


async def test_code_has_enough_chance_and_can_be_typed(entrance: Entrance) -> None:
    codes = {(await entrance.offer())[0].reveal() for _ in range(50)}

    assert len(codes) == 50
    for code in codes:
        assert len(code.replace("-", "")) == 26
        assert code.isascii()
        assert code == code.lower()


async def test_new_code_is_told_whenever_the_former_has_ended(entrance: Entrance) -> None:
    told = await kept_open(entrance)

    assert len(set(told)) == 3
    assert entrance.clock.slept == [LASTS_S] * 3


async def test_own_code_is_good_all_the_time_and_told_once(entrance: Entrance) -> None:
    told = await kept_open(entrance, OWN)

    assert told == [OWN]
    assert len(entrance.tables.setup_codes) == 1


async def test_database_that_refuses_is_asked_again(entrance: Entrance) -> None:
    entrance.tables.fault = StorageError("no")
    told: list[Secret] = []
    sleep = entrance.clock.sleep

    async def sleep_and_mend(seconds: float) -> None:
        entrance.tables.fault = None
        await sleep(seconds)

    entrance.clock.sleep = sleep_and_mend  # type: ignore[method-assign]
    task = asyncio.create_task(entrance.offer.keep_open(None, told.append))
    while not told:
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert entrance.clock.slept[0] == 30
    assert len(entrance.tables.setup_codes) == 1


async def test_nothing_is_told_when_there_is_an_operator(entrance: Entrance) -> None:
    await entrance.operator()

    told: list[Secret] = []
    await entrance.offer.keep_open(None, told.append)

    assert told == []


async def test_operator_who_comes_meanwhile_ends_it(entrance: Entrance) -> None:
    asked = entrance.storage.operators.all
    answers = iter([False])

    async def first_nobody() -> object:
        found = await asked()
        if next(answers, True):
            return found
        await entrance.operator()
        return []

    entrance.storage.operators.all = first_nobody  # type: ignore[method-assign, assignment]
    told: list[Secret] = []
    await entrance.offer.keep_open(None, told.append)

    assert told == []


@pytest.mark.parametrize("own", ["", "admin", "a" * 40, "abcabcabcabcabcabcabcabc", "x7" * 200])
async def test_own_code_that_could_be_guessed_is_refused(entrance: Entrance, own: str) -> None:
    with pytest.raises(tree.UnsupportedInputError, match="openssl"):
        await entrance.offer(Secret(own))

    assert entrance.tables.setup_codes == {}


async def test_code_made_by_hand_is_audited(entrance: Entrance) -> None:
    actor = Actor(name="root", door="command_line")
    entry = AuditEntry(at=entrance.clock.now(), actor=actor, action=AuditAction.SETUP_CODE_MADE)

    code, _ = await entrance.offer(audit=entry)

    assert entrance.actions == [AuditAction.SETUP_CODE_MADE]
    assert code.reveal() not in repr(entrance.tables)


async def test_close_outlives_a_database_that_refuses(entrance: Entrance) -> None:
    await entrance.offer()
    entrance.tables.fault = StorageError("no")

    await entrance.offer.close()

    assert not await entrance.offer.is_open()
    assert GOOD.reveal() not in repr(entrance.tables)
