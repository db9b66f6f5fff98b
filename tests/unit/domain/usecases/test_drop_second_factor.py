"""Somebody else takes a second factor away; the operator's own ways are in the tests of the second factor itself."""

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.usecases.drop_second_factor import DropSecondFactor
from tests.unit.domain.usecases.entrance import GOOD, HERE, Entrance

ENTRY = AuditEntry(
    at=Entrance().clock.now(), actor=Actor(name="root", door="command_line"), action=AuditAction.SECOND_FACTOR_REMOVED
)


async def test_operator_comes_in_without_a_code_again() -> None:
    entrance = Entrance()
    ada = await entrance.operator()
    here = await entrance.come_in()
    await entrance.second_factor.begin(here, GOOD, HERE)
    await entrance.second_factor.confirm(here, entrance.codes.code_at(entrance.clock.now()), HERE)
    drop = DropSecondFactor(entrance.manage, entrance.storage.second_factors)

    assert await drop("ADA", ENTRY) == (ada, True)
    assert await drop(None, ENTRY) == (ada, False)

    await entrance.come_in()
    removed = [one for one in entrance.tables.audit if one.action == AuditAction.SECOND_FACTOR_REMOVED]
    assert [(one.subject, one.actor.name) for one in removed] == [(str(ada.id), "root")]


async def test_nobody_and_one_of_several_are_told() -> None:
    entrance = Entrance()
    drop = DropSecondFactor(entrance.manage, entrance.storage.second_factors)

    with pytest.raises(tree.ConflictError, match="no operator yet"):
        await drop(None, ENTRY)
    for name in ("ada", "bob"):
        await entrance.operator(name)
    with pytest.raises(tree.ConflictError, match="several"):
        await drop(None, ENTRY)
    with pytest.raises(tree.NotKnownError):
        await drop("eve", ENTRY)
