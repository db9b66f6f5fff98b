import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flow2api.domain.account import Account, Credentials, RestReason
from flow2api.domain.api_key import ApiKey
from flow2api.domain.errors import StorageBusyError, StorageFullError
from flow2api.domain.ports.storage import Examination
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.diagnose import (
    Check,
    CheckState,
    Diagnose,
    Diagnosis,
    Finding,
    is_fine,
    look_at_accounts,
    look_at_clock,
    look_at_coordination,
    look_at_keys,
    look_at_media,
    look_at_schema,
    look_at_storage,
)
from flow2api.plugins.coordination_memory import MemoryCoordination
from flow2api.testing.fakes.clock import START, FakeClock
from flow2api.testing.fakes.coordination import FakeCoordination
from flow2api.testing.fakes.media import FakeMediaStore
from flow2api.testing.fakes.storage import FakeStorage

OK, WARN, FAIL = CheckState.OK, CheckState.WARN, CheckState.FAIL


def finding(state: CheckState, name: str, needs: str | None = None) -> Check:
    async def look() -> Finding:
        return Finding(state, "Looked.")

    return Check(name, look, needs)


def raising(error: Exception) -> Check:
    async def look() -> Finding:
        raise error

    return Check("broken", look)


async def look_by(check: Check) -> Finding:
    found = await check.look()
    assert found is not None
    return found


async def diagnose(*checks: Check, timeout_s: float = 5) -> list[Diagnosis]:
    return [one async for one in Diagnose(checks, timeout_s=timeout_s)()]


async def test_checks_are_told_in_their_order() -> None:
    found = await diagnose(finding(OK, "a"), finding(WARN, "b"), finding(OK, "c"))

    assert [(one.name, one.finding.state) for one in found] == [("a", OK), ("b", WARN), ("c", OK)]


async def test_check_with_nothing_to_say_is_not_told_and_fails_nobody() -> None:
    async def look() -> None:
        return None

    found = await diagnose(Check("silent", look), finding(OK, "after", "silent"))

    assert [one.name for one in found] == ["after"]


async def test_check_that_returns_something_else_is_broken() -> None:
    async def look() -> Any:
        return "fine"

    (found,) = await diagnose(Check("garbage", look))

    assert (found.finding.state, "TypeError" in found.finding.sentence) == (FAIL, True)


async def test_check_is_left_out_when_what_it_needs_has_failed_or_was_left_out() -> None:
    found = await diagnose(
        finding(FAIL, "a"), finding(OK, "b", "a"), finding(OK, "c", "b"), finding(WARN, "d"), finding(OK, "e", "d")
    )

    assert [one.name for one in found] == ["a", "d", "e"]


async def test_error_of_ours_is_a_finding() -> None:
    (found,) = await diagnose(raising(StorageBusyError("The database is locked.")))

    assert found.finding == Finding(FAIL, "The database is locked.")


async def test_check_that_breaks_stops_no_other_and_tells_no_detail() -> None:
    broken, after = await diagnose(raising(ValueError("canary")), finding(OK, "after"))

    assert broken.finding.state is FAIL
    assert "ValueError" in broken.finding.sentence
    assert "canary" not in broken.finding.sentence
    assert after.finding.state is OK


async def test_check_that_hangs_is_given_up() -> None:
    async def look() -> Finding:
        await asyncio.Event().wait()
        raise AssertionError

    (found,) = await diagnose(Check("hangs", look), timeout_s=0.01)

    assert found.finding.state is FAIL
    assert "did not come to an end" in found.finding.sentence


@pytest.mark.parametrize(("state", "fine"), [(OK, True), (WARN, True), (FAIL, False)])
def test_only_failures_are_not_fine(state: CheckState, fine: bool) -> None:
    assert is_fine([Diagnosis("a", Finding(OK, "")), Diagnosis("b", Finding(state, ""))]) is fine


# --- storage ----------------------------------------------------------------------------------------------------------


@dataclass
class MaintainedStorage(FakeStorage):
    """A storage that can be looked at closely."""

    found: Examination

    def __post_init__(self) -> None:
        super().__init__()

    async def examine(self) -> Examination:
        return self.found

    async def back_up(self, target: Path) -> int:
        raise NotImplementedError

    async def restore(self, source: Path) -> Path | None:
        raise NotImplementedError


SOUND = Examination(schema="0002", newest_schema="0002", size_bytes=1, faults=())


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (SOUND, OK),
        (replace(SOUND, schema="0001"), FAIL),
        (replace(SOUND, faults=("Damage: page 3.",)), FAIL),
    ],
)
async def test_damage_and_an_old_schema_are_found(found: Examination, state: CheckState) -> None:
    assert (await look_by(look_at_schema(MaintainedStorage(found)))).state is state


async def test_storage_that_cannot_be_looked_at_is_taken_as_it_is() -> None:
    assert (await look_by(look_at_schema(FakeStorage()))).state is OK


async def test_database_that_cannot_be_written_fails() -> None:
    storage = FakeStorage()
    assert (await look_by(look_at_storage(storage))).state is OK

    storage.tables.fault = StorageFullError("There is no room left.")

    with pytest.raises(StorageFullError):
        await look_by(look_at_storage(storage))


async def test_what_processes_share_is_reached_or_fails() -> None:
    coordination = FakeCoordination()
    assert (await look_by(look_at_coordination(coordination))).state is OK

    coordination.meeting.lose(ConnectionError("Nobody listens at this port."))
    lost = await look_by(look_at_coordination(coordination))
    coordination.meeting.lose(ConnectionError())
    silent = await look_by(look_at_coordination(coordination))

    assert (lost.state, silent.state) == (FAIL, FAIL)
    assert lost.sentence.endswith("does not answer: Nobody listens at this port.")
    assert silent.sentence.endswith("does not answer: ConnectionError")
    assert "coordination_url" in lost.cure


async def test_process_that_shares_nothing_has_nothing_to_say() -> None:
    assert await look_at_coordination(MemoryCoordination()).look() is None


# --- media ------------------------------------------------------------------------------------------------------------


async def test_media_store_is_tried_and_left_as_it_was() -> None:
    store = FakeMediaStore()

    assert (await look_by(look_at_media(store))).state is OK
    assert store.contents == {}


async def test_media_store_that_gives_back_other_bytes_fails() -> None:
    class Forgetful(FakeMediaStore):
        async def read(self, sha256: str, start: int = 0, stop: int | None = None) -> AsyncIterator[bytes]:
            yield b"other"

    assert (await look_by(look_at_media(Forgetful()))).state is FAIL


# --- clock ------------------------------------------------------------------------------------------------------------


class JumpingClock(FakeClock):
    """A clock that somebody sets while it is looked at."""

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        self._now += timedelta(hours=1)


@pytest.mark.parametrize(
    ("clock", "state"),
    [
        (FakeClock(), OK),
        (FakeClock(datetime(1970, 1, 1, tzinfo=UTC)), FAIL),
        (FakeClock(datetime(2105, 1, 1, tzinfo=UTC)), FAIL),
        (JumpingClock(), WARN),
    ],
)
async def test_implausible_clock_is_noticed(clock: FakeClock, state: CheckState) -> None:
    assert (await look_by(look_at_clock(clock))).state is state


# --- accounts and keys ------------------------------------------------------------------------------------------------


async def storage_with(*accounts: Account) -> FakeStorage:
    storage = FakeStorage()
    await storage.accounts.add([(account, Credentials(Secret(account.name))) for account in accounts])
    return storage


ACCOUNT = Account(id=0, upstream="flow", name="one", created_at=START)


@pytest.mark.parametrize(
    ("accounts", "state", "told"),
    [
        ((), WARN, "There are no accounts."),
        ((ACCOUNT,), OK, "1 active (1 of them not yet warmed)."),
        (
            (ACCOUNT, ACCOUNT.resting(RestReason.MANUAL, START), ACCOUNT.resting(RestReason.UNUSABLE, START)),
            OK,
            "1 active, 1 suspended, 1 disabled (1 of them not yet warmed).",
        ),
        ((ACCOUNT.resting(RestReason.MANUAL, START),), WARN, "No account can serve: 1 disabled."),
        ((replace(ACCOUNT, created_at=START + timedelta(hours=1)),), WARN, "An account was added at 2026-11-23 13:00"),
    ],
)
async def test_accounts_are_counted(accounts: tuple[Account, ...], state: CheckState, told: str) -> None:
    found = await look_by(look_at_accounts(await storage_with(*accounts), FakeClock()))

    assert found.state is state
    assert found.sentence.startswith(told)


async def test_keys_are_counted() -> None:
    storage = FakeStorage()
    key = ApiKey(id=0, name="one", prefix="f2a_", digest=b"1", created_at=START)
    assert (await look_by(look_at_keys(storage))).state is WARN

    await storage.api_keys.add(replace(key, revoked_at=START))
    assert (await look_by(look_at_keys(storage))).state is WARN

    await storage.api_keys.add(replace(key, digest=b"2"))
    assert await look_by(look_at_keys(storage)) == Finding(OK, "1 active, 1 revoked.")


async def test_check_that_would_end_the_program_fails_alone() -> None:
    async def leave() -> Finding:
        raise SystemExit(0)

    found = [one async for one in Diagnose([Check("leaving", leave), Check("next", leave)])()]

    assert [(one.name, one.finding.sentence) for one in found] == [
        ("leaving", "The check itself broke (SystemExit)."),
        ("next", "The check itself broke (SystemExit)."),
    ]
