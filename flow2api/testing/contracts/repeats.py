"""Promises of requests that come again: by their idempotency key, and by their body."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.errors import ConflictError
from flow2api.domain.generation import Generation
from flow2api.domain.ports.storage import IdempotencyClaim, Storage
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.samples import (
    generation_of,
)


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
    async def found(storage: Storage, clock: FakeClock, *key_ids: int | None) -> list[str]:
        since = clock.now() - timedelta(minutes=3)
        return [one.id for one in await storage.generations.repeated(key_ids or (1,), b"\x02" * 32, ended_since=since)]

    @pytest.mark.parametrize("key_id", [1, None])
    async def test_unfinished_request_is_found_by_its_body(
        self, storage: Storage, clock: FakeClock, key_id: int | None
    ) -> None:
        await storage.generations.add([self.asked("gen_1", key_id=key_id), generation_of("gen_2")])
        assert await self.found(storage, clock, key_id) == ["gen_1"]
        assert await self.found(storage, clock, 2) == []
        assert await storage.generations.repeated({key_id}, b"\x03" * 32, ended_since=clock.now()) == []

    async def test_all_parts_of_the_newest_are_found(self, storage: Storage, clock: FakeClock) -> None:
        await storage.generations.add([self.asked("gen_1", group_id="old")])
        await storage.generations.add([self.asked("gen_2", group_id="new"), self.asked("gen_3", group_id="new")])
        assert await self.found(storage, clock) == ["gen_2", "gen_3"]

    async def test_newest_of_several_keys_is_found(self, storage: Storage, clock: FakeClock) -> None:
        for number, key_id in enumerate((1, 7, None, 9)):
            await storage.generations.add([self.asked(f"gen_{number}", group_id=f"of_{key_id}", key_id=key_id)])
        assert await self.found(storage, clock, 7, 1) == ["gen_1"]
        assert await self.found(storage, clock, 1, None, 7) == ["gen_2"]
        assert await self.found(storage, clock, 1, 8) == ["gen_0"]

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
