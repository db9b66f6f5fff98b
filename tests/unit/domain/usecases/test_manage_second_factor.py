"""A second factor is in use when a code has proved it; what changes it takes the passphrase."""

from collections.abc import Awaitable, Callable

import pytest

from flow2api.domain import errors as tree
from flow2api.domain.audit import AuditAction
from flow2api.domain.second_factor import RECOVERY_CODES, SecondFactorStanding
from flow2api.domain.secret import Secret
from flow2api.domain.throttle import FREE_TRIES
from flow2api.domain.visitor import SignedIn
from tests.unit.domain.usecases.entrance import GOOD, HERE, WRONG, Entrance


@pytest.fixture
def entrance() -> Entrance:
    return Entrance()


@pytest.fixture
async def here(entrance: Entrance) -> SignedIn:
    await entrance.operator()
    return await entrance.come_in()


def code_now(entrance: Entrance) -> Secret:
    return entrance.codes.code_at(entrance.clock.now())


async def enrolled(entrance: Entrance, here: SignedIn) -> list[Secret]:
    await entrance.second_factor.begin(here, GOOD, HERE)
    return list(await entrance.second_factor.confirm(here, code_now(entrance), HERE))


async def test_enrolment_shows_the_secret_and_its_address_once(entrance: Entrance, here: SignedIn) -> None:
    enrolment = await entrance.second_factor.begin(here, GOOD, HERE)

    assert enrolment.secret.reveal() in enrolment.uri.reveal()
    assert "ada" in enrolment.uri.reveal()
    assert enrolment.secret.reveal() not in repr(entrance.tables)
    assert await entrance.second_factor.standing(here.operator) == SecondFactorStanding()


async def test_confirmed_one_stands_with_its_recovery_codes(entrance: Entrance, here: SignedIn) -> None:
    codes = await enrolled(entrance, here)

    assert len({code.reveal() for code in codes}) == RECOVERY_CODES
    assert all(len(code.reveal().replace("-", "")) == 16 for code in codes)
    standing = await entrance.second_factor.standing(here.operator)
    assert standing == SecondFactorStanding(entrance.clock.now(), RECOVERY_CODES)
    assert entrance.actions[-1] == AuditAction.SECOND_FACTOR_ADDED
    assert [code for code in codes if code.reveal() in repr(entrance.tables)] == []


@pytest.mark.parametrize("code", ["", "000000", "x" * 1_000_000])
async def test_wrong_code_confirms_nothing(entrance: Entrance, here: SignedIn, code: str) -> None:
    await entrance.second_factor.begin(here, GOOD, HERE)

    with pytest.raises(tree.UnsupportedInputError) as refusal:
        await entrance.second_factor.confirm(here, Secret(code), HERE)

    assert refusal.value.param == "code"
    assert await entrance.second_factor.standing(here.operator) == SecondFactorStanding()


async def test_begun_anew_the_former_secret_counts_no_more(entrance: Entrance, here: SignedIn) -> None:
    first = await entrance.second_factor.begin(here, GOOD, HERE)
    second = await entrance.second_factor.begin(here, GOOD, HERE)

    assert first.secret != second.secret
    assert entrance.tables.second_factors[here.operator.id].secret == second.secret


async def test_nothing_to_confirm_is_told(entrance: Entrance, here: SignedIn) -> None:
    with pytest.raises(tree.ConflictError, match="begin with one"):
        await entrance.second_factor.confirm(here, code_now(entrance), HERE)
    await enrolled(entrance, here)
    with pytest.raises(tree.ConflictError, match="begin with one"):
        await entrance.second_factor.confirm(here, code_now(entrance), HERE)


async def test_one_that_is_confirmed_elsewhere_meanwhile_stays(entrance: Entrance, here: SignedIn) -> None:
    await entrance.second_factor.begin(here, GOOD, HERE)
    begun = entrance.tables.second_factors[here.operator.id]
    await entrance.second_factor.confirm(here, code_now(entrance), HERE)
    confirmed = entrance.tables.second_factors[here.operator.id]

    async def as_begun(_: int) -> object:
        return begun

    entrance.storage.second_factors.of_operator = as_begun  # type: ignore[method-assign, assignment]
    with pytest.raises(tree.ConflictError):
        await entrance.second_factor.confirm(here, code_now(entrance), HERE)

    assert entrance.tables.second_factors[here.operator.id] == confirmed


async def test_one_in_use_is_not_overwritten(entrance: Entrance, here: SignedIn) -> None:
    await enrolled(entrance, here)

    with pytest.raises(tree.ConflictError, match="switch it off"):
        await entrance.second_factor.begin(here, GOOD, HERE)


async def test_fresh_recovery_codes_end_the_former(entrance: Entrance, here: SignedIn) -> None:
    former = await enrolled(entrance, here)

    fresh = await entrance.second_factor.renew_recovery(here, GOOD, HERE)

    assert entrance.actions[-1] == AuditAction.RECOVERY_CODES_RENEWED
    with pytest.raises(tree.SignInRefusedError):
        await entrance.come_in(code=former[0])
    await entrance.come_in(code=fresh[0])


async def test_without_a_second_factor_nothing_is_to_recover(entrance: Entrance, here: SignedIn) -> None:
    with pytest.raises(tree.ConflictError, match="nothing has to be recovered"):
        await entrance.second_factor.renew_recovery(here, GOOD, HERE)


async def test_disabled_one_is_asked_for_no_more(entrance: Entrance, here: SignedIn) -> None:
    await enrolled(entrance, here)

    await entrance.second_factor.disable(here, GOOD, HERE)
    await entrance.second_factor.disable(here, GOOD, HERE)

    assert entrance.actions.count(AuditAction.SECOND_FACTOR_REMOVED) == 1
    assert await entrance.second_factor.standing(here.operator) == SecondFactorStanding()
    await entrance.come_in()


@pytest.mark.parametrize("name", ["begin", "renew_recovery", "disable"])
async def test_each_change_takes_the_passphrase_and_counts_wrong_ones(
    entrance: Entrance, here: SignedIn, name: str
) -> None:
    change: Callable[..., Awaitable[object]] = getattr(entrance.second_factor, name)
    for _ in range(FREE_TRIES):
        with pytest.raises(tree.SignInRefusedError):
            await change(here, WRONG, HERE)

    with pytest.raises(tree.TooManyTriesError):
        await change(here, GOOD, HERE)
