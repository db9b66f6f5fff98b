"""Promises of generations that a process owns for a while."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from flow2api.domain.generation import Generation, Operation, Phase, State
from flow2api.domain.ports.storage import Storage
from flow2api.testing.samples import (
    NOW,
    generation_of,
)


class LeasesContract:
    """Leases go by the database's clock, so they are made to end in the past instead of being waited for."""

    @staticmethod
    def held(name: str, owner: str | None = "old", seconds: float = 45) -> Generation:
        until = datetime.now(UTC) + timedelta(seconds=seconds)
        return replace(generation_of(name), owner=owner, lease_until=None if owner is None else until)

    async def test_takes_over_only_what_nobody_renews(self, storage: Storage) -> None:
        await storage.generations.add([self.held("gen_ended", seconds=-1), self.held("gen_held")])
        await storage.generations.add([self.held("gen_free", owner=None)])

        taken = await storage.generations.take_over("new", 45, 10)

        assert [generation.id for generation in taken] == ["gen_ended", "gen_free"]
        assert await storage.generations.take_over("third", 45, 10) == []

    async def test_taken_over_has_a_new_owner_lease_and_fence(self, storage: Storage) -> None:
        before = replace(
            self.held("gen_1", seconds=-1), fence=4, rescues=1, state=State.RUNNING, operation=Operation("o", "{}")
        )
        await storage.generations.add([before])

        began = datetime.now(UTC)
        (taken,) = await storage.generations.take_over("new", 45, 10)

        assert taken.lease_until is not None
        assert began + timedelta(seconds=40) < taken.lease_until < datetime.now(UTC) + timedelta(seconds=50)
        assert taken == replace(before, owner="new", fence=5, rescues=2, lease_until=taken.lease_until)
        assert await storage.generations.get("gen_1") == taken

    async def test_expired_generations_are_not_listed(self, storage: Storage) -> None:
        kept = replace(self.held("gen_kept"), state=State.COMPLETED, expires_at=datetime.now(UTC) + timedelta(hours=1))
        over = replace(self.held("gen_over"), state=State.COMPLETED, expires_at=datetime.now(UTC) - timedelta(hours=1))
        await storage.generations.add([kept, over])

        page = await storage.generations.page(
            key_ids={kept.key_id}, kind=kept.kind, after=None, limit=10, newest_first=True
        )

        assert [one.id for one in page.items] == ["gen_kept"]

    async def test_what_was_released_in_order_counts_as_no_rescue(self, storage: Storage) -> None:
        await storage.generations.add([self.held("gen_1", owner="old")])
        await storage.generations.release("old")

        (taken,) = await storage.generations.take_over("new", 45, 10)

        assert taken.rescues == 0

    async def test_late_write_of_the_old_owner_is_refused(self, storage: Storage) -> None:
        before = self.held("gen_1", seconds=-1)
        await storage.generations.add([before])
        (taken,) = await storage.generations.take_over("new", 45, 10)

        assert not await storage.generations.save(before.completed((), NOW, None))
        assert await storage.generations.save(taken.completed((), NOW, None))

    async def test_never_takes_over_what_has_ended(self, storage: Storage) -> None:
        for state in (State.COMPLETED, State.FAILED, State.CANCELLED):
            await storage.generations.add([replace(self.held(f"gen_{state}", seconds=-1), state=state)])

        assert await storage.generations.take_over("new", 45, 10) == []

    async def test_takes_the_oldest_first_and_no_more_than_asked(self, storage: Storage) -> None:
        for number in (3, 1, 2):
            late = generation_of(f"gen_{number}", after_s=number)
            await storage.generations.add([late])

        assert [each.id for each in await storage.generations.take_over("new", 45, 2)] == ["gen_1", "gen_2"]

    async def test_each_is_taken_by_one_of_many(self, storage: Storage) -> None:
        await storage.generations.add([self.held(f"gen_{number}", seconds=-1) for number in range(30)])

        taken = await asyncio.gather(*(storage.generations.take_over(f"p{number}", 45, 4) for number in range(12)))

        ids = [generation.id for each in taken for generation in each]
        assert sorted(ids) == sorted(f"gen_{number}" for number in range(30))

    async def test_renewal_prolongs_the_leases_of_its_owner_alone(self, storage: Storage) -> None:
        await storage.generations.add([self.held("gen_1", seconds=-1), self.held("gen_2", "other", seconds=-1)])

        await storage.generations.renew("old", 45)

        assert [each.id for each in await storage.generations.take_over("new", 45, 10)] == ["gen_2"]

    async def test_renewal_counts_what_it_prolongs_and_names_come_on_demand(self, storage: Storage) -> None:
        ended = replace(self.held("gen_3"), state=State.COMPLETED)
        await storage.generations.add([self.held("gen_1"), self.held("gen_2"), ended, self.held("gen_4", "other")])

        assert await storage.generations.renew("old", 45) == 2
        assert set(await storage.generations.held("old")) == {"gen_1", "gen_2"}
        assert await storage.generations.renew("nobody", 45) == 0
        assert list(await storage.generations.held("nobody")) == []

    async def test_renewal_leaves_ended_ones_alone(self, storage: Storage) -> None:
        ended = replace(self.held("gen_1", seconds=-1), state=State.FAILED)
        await storage.generations.add([ended])

        await storage.generations.renew("old", 45)

        assert await storage.generations.get("gen_1") == ended

    async def test_save_with_an_old_copy_does_not_shorten_the_lease(self, storage: Storage) -> None:
        copy = self.held("gen_1", seconds=-1)
        await storage.generations.add([copy])
        await storage.generations.renew("old", 45)

        await storage.generations.save(copy.entering(Phase.SUBMITTING, NOW))

        assert await storage.generations.take_over("new", 45, 10) == []

    async def test_released_ones_are_taken_over_at_once(self, storage: Storage) -> None:
        await storage.generations.add([self.held("gen_1"), self.held("gen_2", "other")])

        await storage.generations.release("old")

        assert [each.id for each in await storage.generations.take_over("new", 45, 10)] == ["gen_1"]

    async def test_lease_of_no_length_has_ended(self, storage: Storage) -> None:
        await storage.generations.add([self.held("gen_1")])
        await storage.generations.renew("old", -1)

        assert len(await storage.generations.take_over("new", -1, 10)) == 1
        assert len(await storage.generations.take_over("third", 45, 10)) == 1
