"""Searching accounts: those of former schemas are found, too, and a hundred thousand cost no more than a blink."""

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import create_engine, text

from flow2api.domain.account import AccountStatus, Rest, RestReason
from flow2api.domain.ports.account_directory import AccountFilter
from tests.fakes.clock import FakeClock
from tests.integration.persistence.databases import NOW, account_of, credentials_of, storage_at
from tests.integration.persistence.test_migrations import database_at

MANY = 100_000
RESTS = {
    "quiet": (),
    "off": (Rest(RestReason.MANUAL, NOW),),
    "limited": (Rest(RestReason.RATE_LIMITED, NOW, NOW + timedelta(hours=1)),),
    "ended": (Rest(RestReason.AUTH_EXPIRED, NOW),),
    "one model": (Rest(RestReason.NO_ACCESS, NOW, NOW + timedelta(hours=1), "veo"),),
}


async def test_accounts_of_a_former_schema_are_found_by_how_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "flow2api.db"
    database_at(path, "0002")
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        for number, (name, rests) in enumerate(RESTS.items(), 1):
            connection.execute(
                text(
                    "INSERT INTO accounts (id, upstream, name, created_at, email, remark, tags, weight, priority, rests,"
                    " streak) VALUES (:id, 'flow', :name, 0, :email, 'Lent', '[]', 1, 0, :rests, 0)"
                ),
                {
                    "id": number,
                    "name": name,
                    "email": f"{number}@example.org",
                    "rests": msgspec.json.encode(rests).decode(),
                },
            )
    engine.dispose()
    storage = storage_at(path, FakeClock(NOW))
    await storage.open()
    try:
        found = {
            status: [
                one.name for one in await storage.directory.page(AccountFilter(status=status), NOW, after=0, limit=9)
            ]
            for status in AccountStatus
        }
        lent = await storage.directory.page(AccountFilter(text="LENT"), NOW, after=0, limit=9)
    finally:
        await storage.aclose()

    assert found == {
        AccountStatus.ACTIVE: ["quiet", "one model"],
        AccountStatus.COOLING_DOWN: ["limited"],
        AccountStatus.SUSPENDED: ["ended"],
        AccountStatus.DISABLED: ["off"],
    }
    assert len(lent) == len(RESTS)


@pytest.mark.slow
async def test_page_of_a_hundred_thousand_takes_less_than_a_tenth_of_a_second(tmp_path: Path) -> None:
    storage = storage_at(tmp_path / "flow2api.db", FakeClock(NOW))
    await storage.open()
    try:
        for start in range(0, MANY, 10_000):
            made = [
                replace(
                    account_of(f"Player {number}"),
                    email=f"player{number}@example.com",
                    rests=RESTS["limited"] if number % 100 == 0 else (),
                )
                for number in range(start, start + 10_000)
            ]
            await storage.accounts.add([(one, credentials_of(one.name)) for one in made])
        for wanted in (
            AccountFilter(),
            AccountFilter(status=AccountStatus.COOLING_DOWN),
            AccountFilter(text="player99999"),
            AccountFilter(text="nobody", status=AccountStatus.ACTIVE),
        ):
            spent = []
            for _ in range(5):  # processor time, for the machine may be busy with something else
                began = time.process_time()
                await storage.directory.count(wanted, NOW)
                await storage.directory.page(wanted, NOW, after=MANY // 2, limit=101)
                spent.append(time.process_time() - began)
            assert min(spent) < 0.1, (wanted, spent)
    finally:
        await storage.aclose()
