"""What a storage promises of the history of credits, if it keeps one."""

import pytest

from flow2api.domain.ports.storage import CreditsHistory, KeepsCredits, Storage


class CreditsHistoryContract:
    """What accounts had left, day by day."""

    @pytest.fixture
    def history(self, storage: Storage) -> CreditsHistory:
        """The history of the storage."""
        if not isinstance(storage, KeepsCredits):
            pytest.skip("this storage keeps no history of credits")
        return storage.credits_history

    async def test_last_look_of_a_day_counts(self, history: CreditsHistory) -> None:
        await history.note("2026-11-22", {1: 100, 2: 7, 0: 107})
        await history.note("2026-11-23", {1: 90})
        await history.note("2026-11-23", {1: 80, 0: 87})
        await history.note("2026-11-24", {})

        assert await history.of(1, "2026-11-01", "2026-11-30") == {"2026-11-22": 100, "2026-11-23": 80}
        assert await history.of(0, "2026-11-23", "2026-11-23") == {"2026-11-22": 107, "2026-11-23": 87}
        assert await history.of(3, "2026-11-01", "2026-11-30") == {}

    async def test_one_day_before_the_first_is_told_as_well(self, history: CreditsHistory) -> None:
        for day in (1, 3, 5, 9):
            await history.note(f"2026-11-{day:02}", {1: day})

        assert await history.of(1, "2026-11-05", "2026-11-08") == {"2026-11-03": 3, "2026-11-05": 5}
        assert await history.of(1, "2026-11-06", "2026-11-08") == {"2026-11-05": 5}
        assert await history.of(1, "2026-10-01", "2026-10-31") == {}

    async def test_old_days_are_forgotten_a_few_at_a_time(self, history: CreditsHistory) -> None:
        for day in (1, 2, 3, 4):
            await history.note(f"2026-11-{day:02}", {1: day, 2: day})

        assert await history.forget("2026-11-03", 3) == 3
        assert await history.forget("2026-11-03", 3) == 1
        assert await history.forget("2026-11-03", 3) == 0
        assert await history.of(1, "2026-11-01", "2026-11-30") == {"2026-11-03": 3, "2026-11-04": 4}
