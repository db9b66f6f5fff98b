"""What a storage promises of the timelines of accounts."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.account import CallKind, RestReason
from flow2api.domain.health import HealthEvent, HealthKind
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import LogEntry, Storage, TellsChecks
from flow2api.testing.samples import (
    NOW,
    account_of,
    credentials_of,
)


async def newest(storage: Storage, account_id: int) -> HealthEvent | None:
    """What was kept last of an account, as it was handed over."""
    found = (await storage.health.page(account_id, limit=1)).items
    return replace(found[0], number=0) if found else None


class HealthLogContract:
    """What accounts went through."""

    async def kept(self, storage: Storage, events: list[HealthEvent]) -> None:
        """Hand them over, and wait until they can be read."""
        for event in events:
            storage.health.note(event)
        async with asyncio.timeout(30):
            while await newest(storage, events[-1].account_id) != events[-1]:
                await asyncio.sleep(0.02)

    async def test_keeps_every_field(self, storage: Storage) -> None:
        event = HealthEvent(
            7,
            NOW,
            HealthKind.PROBATION_FAILED,
            RestReason.ERROR_STREAK,
            "film",
            CallKind.UPLOAD,
            NOW + timedelta(minutes=5),
            "500: ärger",
            "ada",
        )
        await self.kept(storage, [event, HealthEvent(8, NOW, HealthKind.ADDED)])

        (found,) = (await storage.health.page(7, limit=10)).items
        assert found.number > 0
        assert replace(found, number=0) == event
        (plain,) = (await storage.health.page(8, limit=10)).items
        assert replace(plain, number=0) == HealthEvent(8, NOW, HealthKind.ADDED)

    async def test_pages_through_one_account_the_latest_first(self, storage: Storage) -> None:
        events = [
            HealthEvent(1 + number % 2, NOW, HealthKind.ACCESS_RENEWED, cause=str(number)) for number in range(20)
        ]
        await self.kept(storage, [*events, HealthEvent(3, NOW, HealthKind.ADDED)])

        seen, before = list[str](), None
        while True:
            page = await storage.health.page(2, before=before, limit=4)
            seen += [event.cause for event in page.items]
            if not page.has_more:
                break
            before = page.items[-1].number

        assert seen == [str(number) for number in range(19, 0, -2)]
        assert (await storage.health.page(9, limit=4)).items == ()

    async def test_tells_how_the_last_checks_of_many_went_where_that_is_offered(self, storage: Storage) -> None:
        if not isinstance(storage.health, TellsChecks):
            pytest.skip("this health log does not tell checks")
        one, two, three = [
            account.id
            for account in await storage.accounts.add([(account_of(name), credentials_of(name)) for name in "abc"])
        ]
        minute = timedelta(minutes=1)
        renewals = [HealthEvent(one, NOW + at * minute, HealthKind.ACCESS_RENEWED) for at in range(40)]
        failed = HealthEvent(two, NOW, HealthKind.RENEWAL_FAILED)
        await self.kept(storage, [*renewals, HealthEvent(two, NOW, HealthKind.WARMED), failed])
        made = LogEntry(
            NOW + minute, "req_1", 1, "images", "m", two, "gen_1", "completed", None, 99_000, MediaKind.IMAGE
        )
        storage.journal.note(replace(made, waited_ms=50_000, status=200))
        storage.journal.note(replace(made, at=NOW + 2 * minute, status=200))
        storage.journal.note(replace(made, at=NOW + 3 * minute, state="failed", code="moderation_blocked", status=400))
        storage.journal.note(replace(made, at=NOW + 3 * minute, state="failed", code="upstream_error", status=502))
        async with asyncio.timeout(30):
            while await storage.request_log.latest() < 4:
                await asyncio.sleep(0.02)

        found = await storage.health.last_checks([one, two, three])

        assert [check.at for check in found[one]] == [NOW + at * minute for at in range(10, 40)]
        assert [(check.kind.value, check.outcome.value) for check in found[two]] == [
            ("renewal", "failed"),
            ("generation", "fine"),
            ("generation", "slow"),
            ("generation", "failed"),
        ]
        assert set(found) == {one, two}

    async def test_forgets_what_is_older(self, storage: Storage) -> None:
        ages = [timedelta(days=days) for days in (31, 30, 29)]
        events = [HealthEvent(1, NOW - age, HealthKind.ACCESS_RENEWED, cause=str(age.days)) for age in ages]
        await self.kept(storage, [*events, HealthEvent(2, NOW, HealthKind.ADDED)])

        assert await storage.health.forget(NOW - timedelta(days=30)) == 1
        assert [event.cause for event in (await storage.health.page(1, limit=9)).items] == ["29", "30"]
        assert await storage.health.forget(NOW - timedelta(days=30)) == 0
