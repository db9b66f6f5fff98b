"""What a storage promises of generations, who works on them, and their idempotency keys."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flow2api.domain.errors import ConflictError
from flow2api.domain.generation import Fault, Generation, Input, InputRole, Operation, Phase, State
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import GenerationFilter, IdempotencyClaim, PastRequest, Storage
from flow2api.testing.factories import GenerationFactory
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.samples import (
    NOW,
    generation_of,
    media_of,
    whole_generation,
)


class GenerationsContract:
    """Generations, added and saved."""

    async def test_keeps_every_field(self, storage: Storage) -> None:
        await storage.generations.add([whole_generation()])

        assert await storage.generations.get("video_whole") == whole_generation()
        assert await storage.generations.get("video_other") is None

    async def test_saves_every_field_that_may_change(self, storage: Storage) -> None:
        whole = whole_generation()
        fixed = {name: getattr(whole, name) for name in ("key_id", "group_id", "body_digest")}
        await storage.generations.add([replace(generation_of("video_whole"), **fixed)])

        assert await storage.generations.save(whole)

        assert await storage.generations.get("video_whole") == whole

    async def test_parts_of_a_request_come_in_the_order_in_which_they_were_added(self, storage: Storage) -> None:
        parts = [replace(generation_of(name), group_id="req") for name in ("gen_c", "gen_a", "gen_b")]
        await storage.generations.add(parts)
        await storage.generations.add([generation_of("gen_other")])

        assert list(await storage.generations.of_group("req")) == parts
        assert list(await storage.generations.of_group("none")) == []

    async def test_adds_all_or_none(self, storage: Storage) -> None:
        await storage.generations.add([generation_of("gen_1")])

        with pytest.raises(ConflictError):
            await storage.generations.add([generation_of("gen_2"), generation_of("gen_1")])

        assert await storage.generations.get("gen_2") is None

    async def test_save_with_an_older_fence_is_refused_whole(self, storage: Storage) -> None:
        await storage.generations.add([replace(generation_of("gen_1"), fence=2)])
        late = replace(generation_of("gen_1"), fence=1, state=State.COMPLETED)

        assert not await storage.generations.save(late, [media_of("med_1")])

        assert await storage.generations.get("gen_1") == replace(generation_of("gen_1"), fence=2)
        assert await storage.media.get(["med_1"]) == []

    async def test_save_with_the_same_or_a_newer_fence_is_taken(self, storage: Storage) -> None:
        await storage.generations.add([replace(generation_of("gen_1"), fence=2)])

        assert await storage.generations.save(replace(generation_of("gen_1"), fence=2, progress=1))
        assert await storage.generations.save(replace(generation_of("gen_1"), fence=3, progress=2))
        assert not await storage.generations.save(replace(generation_of("gen_1"), fence=2, progress=3))

        saved = await storage.generations.get("gen_1")
        assert saved is not None
        assert (saved.fence, saved.progress) == (3, 2)

    async def test_save_of_an_unknown_generation_writes_nothing(self, storage: Storage) -> None:
        assert not await storage.generations.save(generation_of("gen_1"), [media_of("med_1")])

        assert await storage.generations.get("gen_1") is None
        assert await storage.media.get(["med_1"]) == []

    async def test_save_writes_media_in_the_same_step(self, storage: Storage) -> None:
        await storage.generations.add([generation_of("gen_1")])
        await storage.media.add([media_of("med_2")])

        assert await storage.generations.save(replace(generation_of("gen_1"), progress=5), [media_of("med_1")])
        with pytest.raises(ConflictError):
            await storage.generations.save(
                replace(generation_of("gen_1"), progress=9), [media_of("med_3"), media_of("med_2")]
            )

        saved = await storage.generations.get("gen_1")
        assert saved is not None
        assert saved.progress == 5
        assert [media.id for media in await storage.media.get(["med_1", "med_2", "med_3"])] == ["med_1", "med_2"]


class GenerationDirectoryContract:
    """Looking through what everybody asked for."""

    async def test_pages_through_everybodys_the_last_one_first(self, storage: Storage) -> None:
        made = [replace(generation_of(f"gen_{number}"), key_id=number % 2) for number in range(5)]
        await storage.generations.add(made)
        first = await storage.generation_directory.page(GenerationFilter(), after=None, limit=3)
        last = await storage.generation_directory.page(GenerationFilter(), after="gen_2", limit=3)

        assert [one.id for one in (*first.items, *last.items)] == ["gen_4", "gen_3", "gen_2", "gen_1", "gen_0"]
        assert (first.has_more, last.has_more) == (True, False)
        assert (await storage.generation_directory.page(GenerationFilter(), after="none", limit=3)).items == ()

    async def test_pages_back_to_what_stands_in_front(self, storage: Storage) -> None:
        await storage.generations.add([generation_of(f"gen_{number}") for number in range(5)])

        async def found(before: str, limit: int) -> tuple[list[str], bool]:
            directory = storage.generation_directory
            page = await directory.page(GenerationFilter(), after=None, limit=limit, before=before)
            return [one.id for one in page.items], page.has_more

        assert await found("gen_1", 2) == (["gen_3", "gen_2"], True)
        assert await found("gen_2", 2) == (["gen_4", "gen_3"], False)
        assert await found("gen_4", 2) == ([], False)
        assert await found("none", 2) == ([], False)

    async def test_filters_by_what_a_generation_is(self, storage: Storage) -> None:
        one = replace(generation_of("gen_1"), key_id=7, account_id=3, model="paint", state=State.COMPLETED)
        other = replace(
            generation_of("gen_2"), kind=MediaKind.VIDEO if one.kind is MediaKind.IMAGE else MediaKind.IMAGE
        )
        await storage.generations.add([one, other])

        for wanted in (
            GenerationFilter(key_id=7),
            GenerationFilter(account_id=3),
            GenerationFilter(model="paint"),
            GenerationFilter(state=State.COMPLETED),
            GenerationFilter(kind=one.kind),
            GenerationFilter(kind=one.kind, key_id=7, account_id=3, model="paint", state=State.COMPLETED),
        ):
            found = await storage.generation_directory.page(wanted, after=None, limit=5)
            assert found.items == (one,), wanted

    async def test_filters_by_how_a_generation_goes(self, storage: Storage) -> None:
        later, hour = NOW + timedelta(hours=2), timedelta(hours=1)
        kept: dict[str, Any] = {"state": State.COMPLETED, "expires_at": later + hour}
        made: dict[str, dict[str, Any]] = {
            "gen_runs": {"state": State.RUNNING, "created_at": later, "key_id": None},
            "gen_waits": {"parent_id": "gen_before"},
            "gen_failed": {"state": State.FAILED, "fault": Fault("upstream_error", "No.")},
            "gen_kept": kept,
            "gen_for_ever": kept | {"expires_at": None},
            "gen_expired": kept | {"expires_at": later - hour},
            "gen_deleted": kept | {"deleted_at": NOW},
        }
        await storage.generations.add([replace(generation_of(name), **facts) for name, facts in made.items()])

        async def found(**wanted: Any) -> list[str]:
            page = await storage.generation_directory.page(GenerationFilter(**wanted), after=None, limit=9)
            return [one.id for one in page.items]

        assert await found(is_unfinished=True) == ["gen_waits", "gen_runs"]
        assert await found(code="upstream_error") == ["gen_failed"]
        assert await found(parent_id="gen_before") == ["gen_waits"]
        assert await found(is_operators=True) == ["gen_runs"]
        assert await found(since=later) == ["gen_runs"]
        assert await found(kept_at=later) == ["gen_for_ever", "gen_kept"]
        page = await storage.generation_directory.page(GenerationFilter(is_unfinished=True), after="gen_waits", limit=1)
        assert [one.id for one in page.items] == ["gen_runs"]


class PagesContract:
    """Generations, page by page."""

    @pytest.fixture
    async def filled(self, storage: Storage) -> Storage:
        names = [f"video_{number}" for number in range(7)]
        # Two made in the same instant keep the order in which they were added.
        await storage.generations.add([generation_of(name, after_s=number // 2) for number, name in enumerate(names)])
        await storage.generations.add([generation_of("gen_1", kind=MediaKind.IMAGE, after_s=1)])
        await storage.generations.add([replace(generation_of("video_of_another", after_s=1), key_id=2)])
        await storage.generations.add([replace(generation_of("video_of_the_operator", after_s=1), key_id=None)])
        return storage

    @staticmethod
    async def ids(storage: Storage, *, after: str | None = None, limit: int, newest_first: bool = True) -> list[str]:
        page = await storage.generations.page(
            key_id=1, kind=MediaKind.VIDEO, after=after, limit=limit, newest_first=newest_first
        )
        return [*(item.id.removeprefix("video_") for item in page.items), *(["…"] if page.has_more else [])]

    async def test_walks_newest_first(self, filled: Storage) -> None:
        assert await self.ids(filled, limit=3) == ["6", "5", "4", "…"]
        assert await self.ids(filled, limit=3, after="video_4") == ["3", "2", "1", "…"]
        assert await self.ids(filled, limit=3, after="video_1") == ["0"]

    async def test_walks_oldest_first(self, filled: Storage) -> None:
        assert await self.ids(filled, limit=3, newest_first=False) == ["0", "1", "2", "…"]
        assert await self.ids(filled, limit=4, newest_first=False, after="video_2") == ["3", "4", "5", "6"]

    async def test_deleted_ones_are_not_shown_but_mark_a_place(self, filled: Storage) -> None:
        deleted = await filled.generations.get("video_4")
        assert deleted is not None
        await filled.generations.save(replace(deleted, deleted_at=NOW))

        assert await self.ids(filled, limit=3) == ["6", "5", "3", "…"]
        assert await self.ids(filled, limit=2, after="video_4") == ["3", "2", "…"]

    @pytest.mark.parametrize("after", ["video_unknown", "video_of_another", "gen_1"])
    async def test_nothing_is_behind_what_is_not_in_the_list(self, filled: Storage, after: str) -> None:
        assert await self.ids(filled, limit=3, after=after) == []

    async def test_operator_sees_those_without_a_key(self, filled: Storage) -> None:
        page = await filled.generations.page(key_id=None, kind=MediaKind.VIDEO, after=None, limit=5, newest_first=True)

        assert [item.id for item in page.items] == ["video_of_the_operator"]
        assert not page.has_more


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

        (taken,) = await storage.generations.take_over("new", 45, 10)

        assert taken.lease_until is not None
        assert timedelta(seconds=40) < taken.lease_until - datetime.now(UTC) < timedelta(seconds=50)
        assert taken == replace(before, owner="new", fence=5, rescues=2, lease_until=taken.lease_until)
        assert await storage.generations.get("gen_1") == taken

    async def test_expired_generations_are_not_listed(self, storage: Storage) -> None:
        kept = replace(self.held("gen_kept"), state=State.COMPLETED, expires_at=datetime.now(UTC) + timedelta(hours=1))
        over = replace(self.held("gen_over"), state=State.COMPLETED, expires_at=datetime.now(UTC) - timedelta(hours=1))
        await storage.generations.add([kept, over])

        page = await storage.generations.page(
            key_id=kept.key_id, kind=kept.kind, after=None, limit=10, newest_first=True
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


class ClaimsContract:
    """Idempotency keys in use."""

    @staticmethod
    def claim(clock: FakeClock, group_id: str = "req_gen_1", *, key_id: int | None = 1) -> IdempotencyClaim:
        expires_at = clock.now() + timedelta(hours=24)
        return IdempotencyClaim(key_id, "order-1", b"\x01" * 32, group_id, expires_at)

    @pytest.mark.parametrize("key_id", [1, None])
    async def test_is_found_by_key_and_name(self, storage: Storage, clock: FakeClock, key_id: int | None) -> None:
        claim = self.claim(clock, key_id=key_id)
        await storage.generations.add([generation_of("gen_1")], claim)

        assert await storage.generations.claimed(key_id, "order-1") == claim
        assert await storage.generations.claimed(2, "order-1") is None
        assert await storage.generations.claimed(key_id, "order-2") is None

    @pytest.mark.parametrize("key_id", [1, None])
    async def test_second_one_is_refused_and_nothing_is_stored(
        self, storage: Storage, clock: FakeClock, key_id: int | None
    ) -> None:
        first = self.claim(clock, key_id=key_id)
        await storage.generations.add([generation_of("gen_1")], first)

        with pytest.raises(ConflictError, match="Idempotency-Key"):
            await storage.generations.add([generation_of("gen_2")], self.claim(clock, "req_gen_2", key_id=key_id))

        assert await storage.generations.get("gen_2") is None
        assert await storage.generations.claimed(key_id, "order-1") == first

    async def test_other_keys_may_use_the_same_name(self, storage: Storage, clock: FakeClock) -> None:
        for key_id in (1, 2, None):
            generation = replace(generation_of(f"gen_{key_id}"), key_id=key_id)
            await storage.generations.add([generation], self.claim(clock, key_id=key_id))

    async def test_expired_one_is_forgotten_and_replaced(self, storage: Storage, clock: FakeClock) -> None:
        await storage.generations.add([generation_of("gen_1")], self.claim(clock))
        clock.advance(24 * 3600)
        assert await storage.generations.claimed(1, "order-1") is None

        again = self.claim(clock, "req_gen_2")
        await storage.generations.add([generation_of("gen_2")], again)

        assert await storage.generations.claimed(1, "order-1") == again

    async def test_place_of_a_refused_request_is_taken_once(self, storage: Storage, clock: FakeClock) -> None:
        await storage.generations.add([generation_of("gen_1")], self.claim(clock))
        again = replace(self.claim(clock, "req_gen_2"), in_place_of="req_gen_1")

        await storage.generations.add([generation_of("gen_2")], again)

        assert await storage.generations.claimed(1, "order-1") == self.claim(clock, "req_gen_2")
        with pytest.raises(ConflictError):
            await storage.generations.add([generation_of("gen_3")], replace(again, group_id="req_gen_3"))
        assert await storage.generations.get("gen_3") is None

    async def test_one_of_fifty_wins(self, storage: Storage, clock: FakeClock) -> None:
        async def ask(number: int) -> bool:
            try:
                await storage.generations.add([generation_of(f"gen_{number}")], self.claim(clock, f"req_gen_{number}"))
            except ConflictError:
                return False
            return True

        won = await asyncio.gather(*(ask(number) for number in range(50)))

        kept = [number for number in range(50) if await storage.generations.get(f"gen_{number}")]
        claim = await storage.generations.claimed(1, "order-1")
        assert kept == [number for number, has_won in enumerate(won) if has_won]
        assert claim is not None
        assert [claim.group_id] == [f"req_gen_{number}" for number in kept]

    async def test_violation_by_the_generation_gives_the_claim_back(self, storage: Storage, clock: FakeClock) -> None:
        await storage.generations.add([generation_of("gen_1")])

        with pytest.raises(ConflictError):
            await storage.generations.add([generation_of("gen_1")], self.claim(clock))

        assert await storage.generations.claimed(1, "order-1") is None


class RepeatsContract:
    """Requests that were asked before, found by their bodies."""

    @staticmethod
    def asked(name: str, **changes: object) -> Generation:
        return replace(generation_of(name), **{"body_digest": b"\x02" * 32, "key_id": 1, **changes})  # type: ignore[arg-type]

    @staticmethod
    async def found(storage: Storage, clock: FakeClock, key_id: int | None = 1) -> list[str]:
        since = clock.now() - timedelta(minutes=3)
        return [one.id for one in await storage.generations.repeated(key_id, b"\x02" * 32, ended_since=since)]

    @pytest.mark.parametrize("key_id", [1, None])
    async def test_unfinished_request_is_found_by_its_body(
        self, storage: Storage, clock: FakeClock, key_id: int | None
    ) -> None:
        await storage.generations.add([self.asked("gen_1", key_id=key_id), generation_of("gen_2")])
        assert await self.found(storage, clock, key_id) == ["gen_1"]
        assert await self.found(storage, clock, 2) == []
        assert await storage.generations.repeated(key_id, b"\x03" * 32, ended_since=clock.now()) == []

    async def test_all_parts_of_the_newest_are_found(self, storage: Storage, clock: FakeClock) -> None:
        await storage.generations.add([self.asked("gen_1", group_id="old")])
        await storage.generations.add([self.asked("gen_2", group_id="new"), self.asked("gen_3", group_id="new")])
        assert await self.found(storage, clock) == ["gen_2", "gen_3"]

    async def test_ended_ones_are_found_for_a_while(self, storage: Storage, clock: FakeClock) -> None:
        ended_at = clock.now()
        await storage.generations.add([self.asked("gen_1").completed((), ended_at, None)])
        clock.advance(179)
        assert await self.found(storage, clock) == ["gen_1"]
        clock.advance(2)
        assert await self.found(storage, clock) == []

    async def test_deleted_one_is_not_found(self, storage: Storage, clock: FakeClock) -> None:
        await storage.generations.add([self.asked("gen_1").cancelled(clock.now()).changed(deleted_at=clock.now())])
        assert await self.found(storage, clock) == []


class PastRequestsContract:
    """Requests of former days."""

    async def test_tells_a_span_of_time_in_the_order_of_coming(self, storage: Storage) -> None:
        minute = timedelta(minutes=1)
        for number, offset in enumerate((-1, 0, 3, 2, 5)):
            came = START + offset * minute
            given = (Input("media_1", InputRole.START),) if number == 1 else ()
            await storage.generations.add(
                [
                    GenerationFactory.build(
                        id=f"video_{number}",
                        created_at=came,
                        inputs=given,
                        spec_name=f"film-{number}",
                        started_at=came + minute if number < 3 else None,
                        ended_at=came + 3 * minute if number < 2 else None,
                        key_id=number,
                    )
                ]
            )
        found = [one async for batch in storage.past_requests.between(START, START + 5 * minute) for one in batch]
        assert found == [
            PastRequest(START, "film-1", 1, "media_1", 120.0),
            PastRequest(START + 2 * minute, "film-3", 3, None, None),
            PastRequest(START + 3 * minute, "film-2", 2, None, None),
        ]

    async def test_tells_nothing_of_an_empty_day(self, storage: Storage) -> None:
        assert [batch async for batch in storage.past_requests.between(START, START + timedelta(days=1))] == []
