"""Searching accounts: those of former schemas are found, too, and a hundred thousand cost no more than a blink."""

import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import create_engine, text

from flow2api.adapters.persistence.account_directory import SqlAccountDirectory
from flow2api.adapters.persistence.rows import AccountRow
from flow2api.adapters.persistence.rows.base import table_of
from flow2api.adapters.persistence.sqlite import SqliteDatabase
from flow2api.domain.account import AccountStatus, Rest, RestReason
from flow2api.domain.ports.account_directory import AccountFilter
from tests.fakes.clock import FakeClock
from tests.integration.persistence.counting import Counting
from tests.integration.persistence.databases import NOW, account_of, credentials_of, storage_at
from tests.integration.persistence.test_migrations import database_at

MANY = 100_000
STORED = 1000
"""So many are stored as servers do it; the others are copies, which the database makes in a tenth of the time."""
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


def multiply(path: Path) -> None:
    """Make copies of the accounts, each with a name and an address of its own, until there are enough."""
    engine = create_engine(f"sqlite:///{path}")
    number = f"(id - (SELECT min(id) FROM accounts) + {STORED} * copy.number)"
    changed = {
        "id": f"id + {STORED} * copy.number",
        "name": f"'Player ' || {number}",
        "email": f"'player' || {number} || '@example.com'",
        "search_text": f"replace(search_text, (id - (SELECT min(id) FROM accounts)), {number})",
    }
    columns = table_of(AccountRow).columns.keys()
    chosen = ", ".join(changed.get(name, name) for name in columns)
    with engine.begin() as connection:
        connection.execute(
            text(
                f"WITH RECURSIVE copy(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM copy"
                f" WHERE number < {MANY // STORED - 1})"
                f" INSERT INTO accounts ({', '.join(columns)}) SELECT {chosen} FROM accounts CROSS JOIN copy"
            )
        )
    engine.dispose()


@pytest.mark.slow
async def test_page_of_a_hundred_thousand_takes_less_than_a_tenth_of_a_second(tmp_path: Path) -> None:
    path = tmp_path / "flow2api.db"
    storage = storage_at(path, FakeClock(NOW))
    await storage.open()
    try:
        made = [
            replace(
                account_of(f"Player {number}"),
                email=f"player{number}@example.com",
                rests=RESTS["limited"] if number % 100 == 0 else (),
            )
            for number in range(STORED)
        ]
        await storage.accounts.add([(one, credentials_of(one.name)) for one in made])
        multiply(path)
        for wanted in (
            AccountFilter(),
            AccountFilter(status=AccountStatus.COOLING_DOWN),
            AccountFilter(text="player99999"),
            AccountFilter(text="nobody", status=AccountStatus.ACTIVE),
        ):
            found = sum((await storage.directory.count(wanted, NOW)).values())
            assert found == {"player99999": 1, "nobody": 0}.get(
                wanted.text or "", MANY // (100 if wanted.status else 1)
            )
            spent = []
            for _ in range(5):  # processor time, for the machine may be busy with something else
                began = time.process_time()
                await storage.directory.count(wanted, NOW)
                await storage.directory.page(wanted, NOW, after=MANY // 2, limit=101)
                spent.append(time.process_time() - began)
            assert min(spent) < 0.1, (wanted, spent)
    finally:
        await storage.aclose()


async def test_accounts_that_do_not_rest_are_not_looked_at_for_those_that_do(tmp_path: Path) -> None:
    path = tmp_path / "flow2api.db"
    storage = storage_at(path, FakeClock(NOW))
    await storage.open()
    names = [*RESTS, *(f"quiet {number}" for number in range(2000))]
    await storage.accounts.add(
        [(replace(account_of(name), rests=RESTS.get(name, ())), credentials_of(name)) for name in names]
    )
    await storage.aclose()
    database = SqliteDatabase(path)
    await database.open()
    counting = Counting(database)
    directory = SqlAccountDirectory(counting)
    try:
        await directory.count(AccountFilter(), NOW)  # the connection has read the schema
        for wanted in (None, *AccountStatus):
            counting.steps = 0
            counted = await directory.count(AccountFilter(status=wanted), NOW)
            page = await directory.page(AccountFilter(status=wanted), NOW, after=0, limit=3)
            resting = {AccountStatus.DISABLED: 1, AccountStatus.SUSPENDED: 1, AccountStatus.COOLING_DOWN: 1}
            all_of_them = {**resting, AccountStatus.ACTIVE: len(names) - 3}
            assert counted == {one: all_of_them[one] if wanted in (None, one) else 0 for one in AccountStatus}
            assert len(page) == min(3, sum(counted.values()))
            assert counting.steps <= 600, wanted
    finally:
        await database.aclose()


async def test_search_for_what_few_have_goes_through_the_accounts_once(tmp_path: Path) -> None:
    path = tmp_path / "flow2api.db"
    storage = storage_at(path, FakeClock(NOW))
    await storage.open()
    names = [f"player {number}" for number in range(3000)]
    await storage.accounts.add([(account_of(name), credentials_of(name)) for name in names])
    await storage.aclose()
    database = SqliteDatabase(path)
    await database.open()
    counting = Counting(database)
    directory = SqlAccountDirectory(counting)
    try:
        await directory.look(AccountFilter(), NOW, after=0, limit=1)  # the connection has read the schema
        # To see that a search is none for few takes a thousand matches.
        for searched, most, found in (("player 2999", 1.2, 1), ("player", 1.8, len(names))):
            counting.steps = 0
            assert sum((await directory.count(AccountFilter(text=searched), NOW)).values()) == found
            once, counting.steps = counting.steps, 0
            page = await directory.look(AccountFilter(text=searched), NOW, after=1500, limit=50)
            assert len(page.accounts) == min(50, found)
            assert sum(page.counts.values()) == found
            assert counting.steps < once * most, searched
    finally:
        await database.aclose()
