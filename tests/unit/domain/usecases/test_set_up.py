"""Whoever has the setup code becomes the owner; one of many does, once for ever."""

import asyncio
from datetime import datetime

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.audit import AuditAction
from flow2api.domain.errors import StorageError
from flow2api.domain.operator import Role
from flow2api.domain.secret import Secret
from flow2api.domain.throttle import FREE_TRIES, LONGEST_PAUSE
from flow2api.domain.usecases.offer_setup import SETUP_CODE_LASTS
from flow2api.domain.visitor import SignedIn, Visitor
from tests.unit.domain.usecases.entrance import ELSEWHERE, GOOD, HERE, Entrance


@pytest.fixture
def entrance() -> Entrance:
    return Entrance()


@pytest.fixture
async def code(entrance: Entrance) -> Secret:
    made, _ = await entrance.offer()
    return made


async def test_owner_is_made_and_signed_in(entrance: Entrance, code: Secret) -> None:
    here, token = await entrance.set_up(code, " Ada ", GOOD, HERE)

    assert (here.operator.name, here.operator.role) == ("Ada", Role.OWNER)
    assert await entrance.sign_in.who(token.reveal()) == here
    assert entrance.tables.setup_codes == {}
    assert code.reveal() not in repr(entrance.tables)
    assert entrance.actions == [AuditAction.OPERATOR_CREATED, AuditAction.SIGNED_IN]
    created = entrance.tables.audit[0]
    assert (created.actor.name, created.actor.address, created.subject) == ("Ada", "192.0.2.7", "1")


async def test_code_counts_however_it_is_typed(entrance: Entrance, code: Secret) -> None:
    typed = Secret(f"\n {code.reveal().upper().replace('-', '')} ")

    await entrance.set_up(typed, "ada", GOOD, HERE)

    assert not await entrance.set_up.is_open()


async def test_is_gone_once_there_is_an_operator(entrance: Entrance, code: Secret) -> None:
    assert await entrance.set_up.is_open()
    await entrance.operator()

    assert not await entrance.set_up.is_open()
    with pytest.raises(tree.SetupClosedError):
        await entrance.set_up(code, "bob", GOOD, HERE)
    with pytest.raises(tree.SetupClosedError):
        await entrance.offer()

    entrance.tables.operators.clear()
    assert not await entrance.set_up.is_open(), "what was closed stays closed"


async def test_of_many_at_once_one_wins(entrance: Entrance, code: Secret) -> None:
    visitors = [Visitor("console", f"192.0.2.{number}") for number in range(10)]
    tries = (entrance.set_up(code, f"ada{at}", GOOD, visitor) for at, visitor in enumerate(visitors))

    results = await asyncio.gather(*tries, return_exceptions=True)

    assert [type(one) for one in results].count(tree.SetupClosedError) == 9
    ((here, _),) = [one for one in results if isinstance(one, tuple)]
    assert isinstance(here, SignedIn)
    assert list(entrance.tables.operators.values()) == [here.operator]


async def test_who_is_overtaken_at_another_process_is_told_that_it_is_over(
    entrance: Entrance, code: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_good = entrance.storage.setup_codes.is_good

    async def overtaken(digest: bytes, now: datetime) -> bool:
        await entrance.operator("bob")
        await entrance.storage.setup_codes.clear()
        return await is_good(digest, now)

    monkeypatch.setattr(entrance.storage.setup_codes, "is_good", overtaken)

    with pytest.raises(tree.SetupClosedError):
        await entrance.set_up(code, "ada", GOOD, HERE)
    assert entrance.actions == []


@pytest.mark.parametrize("wrong", ["", "-", "admin", "x" * 1_000_000])
async def test_wrong_code_makes_nobody(entrance: Entrance, code: Secret, wrong: str) -> None:
    with pytest.raises(tree.SetupCodeRefusedError):
        await entrance.set_up(Secret(wrong), "ada", GOOD, HERE)

    assert entrance.tables.operators == {}
    assert entrance.actions == [AuditAction.SETUP_REFUSED]


async def test_code_ends_and_another_is_good(entrance: Entrance, code: Secret) -> None:
    entrance.clock.advance(SETUP_CODE_LASTS.total_seconds())

    with pytest.raises(tree.SetupCodeRefusedError):
        await entrance.set_up(code, "ada", GOOD, HERE)
    fresh, until = await entrance.offer()

    assert until == entrance.clock.now() + SETUP_CODE_LASTS
    assert len(entrance.tables.setup_codes) == 1, "what has ended is forgotten"
    await entrance.set_up(fresh, "ada", GOOD, HERE)


async def test_codes_of_several_processes_are_good_side_by_side(entrance: Entrance, code: Secret) -> None:
    other, _ = await entrance.offer()

    assert other != code
    await entrance.set_up(code, "ada", GOOD, HERE)


async def test_bad_name_or_passphrase_leaves_the_code_good(entrance: Entrance, code: Secret) -> None:
    for name, passphrase in (("", GOOD), ("7", GOOD), ("ada", Secret("short")), ("ada", Secret("short river"))):
        with pytest.raises(tree.UnsupportedInputError):
            await entrance.set_up(code, name, passphrase, HERE)

    await entrance.set_up(code, "ada", GOOD, HERE)


async def test_wrong_codes_are_slowed_down_where_they_come_from_only(entrance: Entrance, code: Secret) -> None:
    for _ in range(FREE_TRIES):
        with pytest.raises(tree.SetupCodeRefusedError):
            await entrance.set_up(Secret("wrong"), "ada", GOOD, ELSEWHERE)

    with pytest.raises(tree.TooManyTriesError):
        await entrance.set_up(code, "ada", GOOD, ELSEWHERE)
    assert entrance.actions[-1] == AuditAction.SIGN_IN_PUT_OFF
    await entrance.set_up(code, "ada", GOOD, HERE)


async def test_database_that_refuses_lets_nobody_in(entrance: Entrance, code: Secret) -> None:
    entrance.tables.fault = StorageError("no")

    with pytest.raises(StorageError):
        await entrance.set_up(code, "ada", GOOD, HERE)

    entrance.tables.fault = None
    assert entrance.tables.operators == {}
    entrance.clock.advance(LONGEST_PAUSE.total_seconds())
    assert await entrance.set_up.is_open()
