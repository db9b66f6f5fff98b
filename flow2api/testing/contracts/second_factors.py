"""What a storage promises of second factors, and of the codes by which the first operator sets himself up."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.audit import AuditAction
from flow2api.domain.ports.storage import Storage
from flow2api.domain.second_factor import SecondFactor
from flow2api.domain.secret import Secret
from flow2api.testing.contracts.reading import actions, entry_of
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.samples import NOW, operator_of

LASTS = timedelta(minutes=15)
ONE, TWO, THREE = b"1" * 32, b"2" * 32, b"3" * 32


class SecondFactorsContract:
    """Second factors of operators."""

    @pytest.fixture
    async def begun(self, storage: Storage) -> SecondFactor:
        ada = await storage.operators.add(operator_of("ada"))
        begun = SecondFactor(operator_id=ada.id, secret=Secret("a" * 32), created_at=NOW)
        assert await storage.second_factors.begin(begun)
        return begun

    @pytest.fixture
    async def confirmed(self, storage: Storage, begun: SecondFactor) -> SecondFactor:
        confirmed = replace(
            begun, confirmed_at=NOW + timedelta(seconds=9), last_step=57_000_000, recovery=frozenset((ONE, TWO))
        )
        assert await storage.second_factors.confirm(confirmed)
        return confirmed

    async def test_nobody_has_one_at_first(self, storage: Storage, clock: FakeClock) -> None:
        ada = await storage.operators.add(operator_of("ada"))
        factor = SecondFactor(operator_id=ada.id, secret=Secret("a" * 32), created_at=NOW, confirmed_at=NOW)

        assert await storage.second_factors.of_operator(ada.id) is None
        assert not await storage.second_factors.confirm(factor, entry_of(clock))
        assert not await storage.second_factors.take_step(ada.id, 1)
        assert not await storage.second_factors.take_recovery(ada.id, ONE, entry_of(clock))
        assert not await storage.second_factors.replace_recovery(ada.id, [ONE], entry_of(clock))
        assert not await storage.second_factors.remove(ada.id, entry_of(clock))
        assert await actions(storage) == []

    async def test_keeps_every_field(self, storage: Storage, begun: SecondFactor, clock: FakeClock) -> None:
        assert await storage.second_factors.of_operator(begun.operator_id) == begun
        confirmed = replace(
            begun, confirmed_at=NOW + timedelta(seconds=9), last_step=57_000_000, recovery=frozenset((ONE, TWO))
        )

        assert await storage.second_factors.confirm(confirmed, entry_of(clock, AuditAction.SECOND_FACTOR_ADDED))

        assert await storage.second_factors.of_operator(begun.operator_id) == confirmed
        assert await actions(storage) == [(AuditAction.SECOND_FACTOR_ADDED, None)]

    async def test_one_that_is_not_confirmed_gives_way(self, storage: Storage, begun: SecondFactor) -> None:
        other = replace(begun, secret=Secret("b" * 32))

        assert await storage.second_factors.begin(other)
        assert not await storage.second_factors.replace_recovery(begun.operator_id, [ONE])
        assert await storage.second_factors.of_operator(begun.operator_id) == other

    async def test_confirmed_one_stays(self, storage: Storage, confirmed: SecondFactor, clock: FakeClock) -> None:
        assert not await storage.second_factors.begin(replace(confirmed, secret=Secret("b" * 32), confirmed_at=None))
        assert not await storage.second_factors.confirm(replace(confirmed, last_step=1), entry_of(clock))

        assert await storage.second_factors.of_operator(confirmed.operator_id) == confirmed
        assert await actions(storage) == []

    async def test_each_step_is_taken_once_and_none_before_it(self, storage: Storage, confirmed: SecondFactor) -> None:
        of, step = confirmed.operator_id, confirmed.last_step

        assert not await storage.second_factors.take_step(of, step)
        taken = await asyncio.gather(*(storage.second_factors.take_step(of, step + 2) for _ in range(20)))
        assert taken.count(True) == 1
        assert not await storage.second_factors.take_step(of, step + 1)
        assert await storage.second_factors.take_step(of, step + 3)

    async def test_each_recovery_code_is_taken_once(
        self, storage: Storage, confirmed: SecondFactor, clock: FakeClock
    ) -> None:
        of, entry = confirmed.operator_id, entry_of(clock, AuditAction.RECOVERY_CODE_USED)

        taken = await asyncio.gather(*(storage.second_factors.take_recovery(of, ONE, entry) for _ in range(20)))
        assert taken.count(True) == 1
        assert not await storage.second_factors.take_recovery(of, THREE, entry)

        kept = await storage.second_factors.of_operator(of)
        assert kept == replace(confirmed, recovery=frozenset((TWO,)))
        assert await actions(storage) == [(AuditAction.RECOVERY_CODE_USED, None)]

    async def test_fresh_recovery_codes_are_in_the_place_of_all(
        self, storage: Storage, confirmed: SecondFactor, clock: FakeClock
    ) -> None:
        of = confirmed.operator_id

        assert await storage.second_factors.replace_recovery(of, [THREE], entry_of(clock, "renewed"))
        assert not await storage.second_factors.take_recovery(of, ONE)
        kept = await storage.second_factors.of_operator(of)
        assert kept == replace(confirmed, recovery=frozenset((THREE,)))
        assert await storage.second_factors.replace_recovery(of, [])
        assert await actions(storage) == [("renewed", None)]

    async def test_removed_one_is_gone_with_its_codes(
        self, storage: Storage, confirmed: SecondFactor, clock: FakeClock
    ) -> None:
        of, entry = confirmed.operator_id, entry_of(clock, AuditAction.SECOND_FACTOR_REMOVED)

        assert await storage.second_factors.remove(of, entry)
        assert not await storage.second_factors.remove(of, entry)

        assert await storage.second_factors.of_operator(of) is None
        assert not await storage.second_factors.take_recovery(of, ONE)
        assert await actions(storage) == [(AuditAction.SECOND_FACTOR_REMOVED, None)]


class SetupCodesContract:
    """Codes by which the first operator sets himself up."""

    async def test_several_are_good_until_each_ends(self, storage: Storage, clock: FakeClock) -> None:
        await storage.setup_codes.add(ONE, clock.now() + LASTS, clock.now())
        clock.advance(60)
        await storage.setup_codes.add(
            TWO, clock.now() + LASTS, clock.now(), entry_of(clock, AuditAction.SETUP_CODE_MADE)
        )

        assert await storage.setup_codes.is_good(ONE, clock.now())
        assert await storage.setup_codes.is_good(TWO, clock.now())
        assert not await storage.setup_codes.is_good(THREE, clock.now())
        clock.advance(LASTS.total_seconds() - 60)
        assert not await storage.setup_codes.is_good(ONE, clock.now())
        assert await storage.setup_codes.is_good(TWO, clock.now())
        assert await actions(storage) == [(AuditAction.SETUP_CODE_MADE, None)]

    async def test_same_one_is_good_for_longer(self, storage: Storage, clock: FakeClock) -> None:
        await storage.setup_codes.add(ONE, clock.now() + LASTS, clock.now())
        clock.advance(LASTS.total_seconds())

        await storage.setup_codes.add(ONE, clock.now() + LASTS, clock.now())

        assert await storage.setup_codes.is_good(ONE, clock.now())

    async def test_cleared_ones_are_good_no_more(self, storage: Storage, clock: FakeClock) -> None:
        await storage.setup_codes.add(ONE, clock.now() + LASTS, clock.now())
        await storage.setup_codes.clear()
        await storage.setup_codes.clear()

        assert not await storage.setup_codes.is_good(ONE, clock.now())
