"""Preferences are an operator's own, and come along with him."""

from flow2api.domain.audit import AuditAction
from flow2api.domain.preferences import AS_IT_COMES, Density, Language, Preferences
from tests.unit.domain.usecases.entrance import GOOD, HERE, Entrance

DENSE = Preferences(language=Language.SIMPLIFIED_CHINESE, density=Density.COMPACT, has_letter_keys=False, is_live=False)


async def test_are_there_at_the_next_request() -> None:
    entrance = Entrance()
    await entrance.operator()
    here, token = await entrance.sign_in("ada", GOOD, HERE)
    assert here.operator.preferences == AS_IT_COMES

    assert await entrance.preferences(here, DENSE, HERE) == DENSE

    again = await entrance.sign_in.who(token.reveal())
    assert again.operator.preferences == DENSE
    entry = entrance.tables.audit[-1]
    assert (entry.action, entry.details["after"]["language"]) == (AuditAction.PREFERENCES_CHANGED, "zh-Hans")
    assert again.operator.passphrase_hash == here.operator.passphrase_hash


async def test_same_ones_write_nothing() -> None:
    entrance = Entrance()
    await entrance.operator()
    here = await entrance.come_in()
    before = len(entrance.tables.audit)

    await entrance.preferences(here, Preferences(), HERE)

    assert len(entrance.tables.audit) == before
