"""What accounts had left, day by day."""

from collections.abc import Mapping

from flow2api_lmdb.engine import Engine
from flow2api_lmdb.schema import CREDITS, SeenCredits
from flow2api_lmdb.slices import first as first_of
from flow2api_lmdb.tables import Step


class LmdbCreditsHistory:
    """By account and day."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def note(self, day: str, seen: Mapping[int, int]) -> None:
        def work(step: Step) -> None:
            for account_id, left in seen.items():
                step.put(CREDITS, (account_id, day), SeenCredits(account_id, day, left))

        if seen:
            await self._engine.write(work)

    async def of(self, account_id: int, first: str, last: str) -> Mapping[str, int]:
        def work(step: Step) -> Mapping[str, int]:
            found: dict[str, int] = {}
            for seen in step.scan(CREDITS, account_id, backwards=True):
                if seen.day <= last:
                    found[seen.day] = seen.left
                if seen.day < first:
                    break
            return found

        return await self._engine.read(work)

    async def forget(self, before: str, limit: int) -> int:
        def work(step: Step) -> int:
            old = first_of(limit, step.by(CREDITS, "day", before=(before,)))
            for seen in old:
                step.delete(CREDITS, seen.account_id, seen.day)
            return len(old)

        return await self._engine.write(work)
