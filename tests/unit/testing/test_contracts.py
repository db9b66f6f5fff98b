"""The suites find what is broken, and say what they compared."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BROKEN = """
    import pytest

    from flow2api.domain.selection import Candidate
    from flow2api.plugins.coordination_memory import MemoryEvents, MemoryLimits, MemorySlots
    from flow2api.testing.contracts import (
        CoordinationContract, EventsContract, LimitsContract, MediaStoreContract, SelectionPolicyContract, SlotsContract,
        StorageContract
    )
    from flow2api.testing.fakes.coordination import FakeCoordination
    from flow2api.testing.fakes.media import FakeMediaStore
    from flow2api.testing.fakes.storage import FakeStorage
    from flow2api.testing.factories import AccountFactory


    class TestStorage(StorageContract):
        @pytest.fixture
        def new_storage(self, clock):
            storage = FakeStorage(clock)
            storage.tables.note_audit = lambda entry, made=None: None
            return lambda: storage


    class TestPolicy(SelectionPolicyContract):
        @pytest.fixture
        def policy(self):
            class Inventing:
                def select(self, ready, need, random):
                    return Candidate(AccountFactory.build(id=99_999))

            return Inventing()


    class TestSlots(SlotsContract):
        @pytest.fixture
        def slots(self):
            class Generous(MemorySlots):
                def take_now(self, account_id, kind, limit):
                    return super().take_now(account_id, kind, None)

            return Generous()


    class TestLimits(LimitsContract):
        @pytest.fixture
        def limits(self):
            class Endless(MemoryLimits):
                def spend_now(self, subject, amount, limit, window_s):
                    return super().spend_now(subject, amount, limit, 3600.0)

            return Endless()


    class TestEvents(EventsContract):
        @pytest.fixture
        def events(self):
            class Sleepy(MemoryEvents):
                async def publish(self, topic, about):
                    if topic == "probe":
                        await super().publish(topic, about)

            return Sleepy()


    class TestCoordination(CoordinationContract):
        @pytest.fixture
        def new_process(self):
            return FakeCoordination


    class TestStore(MediaStoreContract):
        @pytest.fixture
        def store(self):
            class Forgetting(FakeMediaStore):
                async def size(self, sha256):
                    return None

            return Forgetting()


    class TestNobodySaidHow(StorageContract):
        pass


    class TestNoMeeting(CoordinationContract):
        pass
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest says of broken implementations."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "test_broken.py").write_text(textwrap.dedent(BROKEN))
    wanted = "audit or one_of_the_ready or no_more_than or gives_back_what or (NobodySaidHow and ping)"
    wanted += (
        " or begins_anew or hears_what_is_published or over_all_processes or gives_its_slots or (NoMeeting and reached)"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-k", wanted]
    command += ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "failed",
    [
        "TestStorage::TestAuditLog::test_goes_along_with_each_change",
        "TestPolicy::test_chooses_one_of_the_ready[1-need0]",
        "TestSlots::test_gives_no_more_than_the_limit",
        "TestLimits::test_counting_begins_anew_when_the_window_is_over",
        "TestEvents::test_other_process_hears_what_is_published",
        "TestCoordination::test_slots_are_counted_over_all_processes",
        "TestCoordination::test_limits_are_counted_over_all_processes",
        "TestCoordination::test_process_that_ends_gives_its_slots_back",
        "TestStore::test_gives_back_what_it_took[1]",
    ],
)
def test_what_is_broken_fails(told: str, failed: str) -> None:
    assert f"test_broken.py::{failed}" in told.partition("short test summary")[2]


def test_failure_shows_what_was_compared(told: str) -> None:
    assert "assert {99999} <= {1}" in told


def test_suite_without_an_implementation_says_what_to_define(told: str) -> None:
    assert "Say how the storage is made: override the fixture `new_storage`." in told
    assert "Say how the coordination is made: override the fixture `new_process`." in told
