"""The suites find what is broken, and say what they compared."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BROKEN = """
    import asyncio
    from dataclasses import replace

    import pytest

    from flow2api.domain.ports.storage import Changed
    from flow2api.domain.secret import Secret
    from flow2api.domain.selection import Candidate
    from flow2api.domain.usecases.diagnose import CheckState, Finding
    from flow2api.hookspecs import DoctorCheck
    from flow2api.plugins.coordination_memory import MemoryEvents, MemoryLimits, MemorySlots
    from flow2api.testing.contracts import (
        CoordinationContract, DoctorCheckContract, EventsContract, LimitsContract, MediaStoreContract, ObserverContract,
        ProxySelectorContract, ResponseShaperContract, SelectionPolicyContract, SlotsContract, StorageContract,
        UpstreamContract
    )
    from flow2api.testing.contracts.backstage import SMALL_JPEG
    from flow2api.testing.fakes.coordination import FakeCoordination
    from flow2api.testing.fakes.maintained import FakeMaintainedStorage
    from flow2api.testing.fakes.media import FakeMediaStore
    from flow2api.testing.fakes.storage import FakeStorage
    from flow2api.testing.fakes.upstream import FakeUpstream
    from tests.contract.test_upstream_contract import FakeBackstage
    from flow2api.testing.factories import AccountFactory


    class TestStorage(StorageContract):
        @pytest.fixture
        def new_storage(self, clock):
            storage = FakeStorage(clock)
            storage.tables.note_audit = lambda entry, made=None: None
            return lambda: storage


    class Losing(FakeStorage):
        def __init__(self, clock):
            super().__init__(clock)
            self.accounts.change, self._write, self.vault.write = self._change, self.vault.write, self._replace

        async def _change(self, account_id, change, audit=None):
            before = await self.accounts.get(account_id)
            after = before and change(before)
            await asyncio.sleep(0)
            if after == before:
                return before and Changed(before, after)
            self.tables.writing()
            self.tables.accounts[account_id] = after
            self.tables.note("account", account_id)
            self.tables.note_audit(audit and audit(Changed(before, after)))
            return Changed(before, after)

        async def _replace(self, account_id, credentials, change, audit=None, *, replaces=None):
            return await self._write(account_id, credentials, change, audit)


    class TestLosing(StorageContract):
        @pytest.fixture
        def new_storage(self, clock):
            storage = Losing(clock)
            return lambda: storage


    class Careless(FakeMaintainedStorage):
        async def examine(self):
            return replace(await super().examine(), schema=None)

        async def back_up(self, target):
            if target.exists():
                target.unlink()
            size = await super().back_up(target)
            target.chmod(0o644)
            return size

        async def restore(self, source):
            return None


    class TestCareless(StorageContract):
        @pytest.fixture
        def new_storage(self, clock):
            storage = Careless(clock)
            return lambda: storage


    class TestInTwoSteps(StorageContract):
        @pytest.fixture
        def new_storage(self, clock):
            storage = FakeStorage(clock)
            keys = storage.api_keys

            async def in_two_steps(key, successor, audits=(), *, former):
                await keys.save(key, former=former)
                return await keys.add(successor)

            keys.replace = in_two_steps
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


    class TestRefunds(LimitsContract):
        @pytest.fixture
        def limits(self):
            class Lavish(FakeCoordination):
                async def refund(self, subject, amount):
                    ends, used = self.meeting.windows.get(subject, (600.0, 0))
                    self.meeting.windows[subject] = (ends, used - amount)

            return Lavish()


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


    class WithHost(FakeStorage):
        def __init__(self, clock):
            super().__init__(clock)
            self.vault.read = self._read

        async def _read(self, account_id):
            kept = self.tables.credentials.get(account_id)
            return kept and replace(kept, base_url="https://example.org")


    class TestVaultWithHost(StorageContract):
        @pytest.fixture
        def new_storage(self, clock):
            storage = WithHost(clock)
            return lambda: storage


    class Upstream(FakeUpstream):
        async def exchange(self, credentials, proxy):
            player = self.players[0]
            player.is_revoked = False
            return await super().exchange(player.credentials, proxy)

        async def produce(self, access, order):
            try:
                await asyncio.sleep(0)
                return await super().produce(access, order)
            except asyncio.CancelledError:
                return []

        async def fetch(self, access, product, *, thumbnail=False):
            yield SMALL_JPEG

        async def poll(self, access, operations):
            return {}


    class BrokenStage(FakeBackstage):
        def __init__(self):
            super().__init__()
            self.fake = self.upstream = Upstream(self.clock, unserved=set())


    class TestUpstream(UpstreamContract):
        @pytest.fixture
        def backstage(self):
            return BrokenStage()


    class TestObserver(ObserverContract):
        @pytest.fixture
        def observer(self):
            class Picky:
                kinds = ("disk.full", "disk.exploded")

                def notify(self, notice):
                    notice.sentence.encode("ascii")

            return Picky()


    class TestSelector(ProxySelectorContract):
        @pytest.fixture
        def selector(self):
            class Keeping:
                first = None

                def select(self, account_id, members):
                    self.first = self.first or members.pop()
                    return self.first

            return Keeping()


    class TestShaper(ResponseShaperContract):
        @pytest.fixture
        def shaper(self):
            class Careless:
                said = ""

                def chat_text(self, results):
                    self.said += "".join(one.url.partition("&")[0] for one in reversed(results))
                    sum(range(200_000))
                    return self.said or None

            return Careless()


    class TestCheck(DoctorCheckContract):
        @pytest.fixture
        def section(self):
            return {"hosts": [{"token": Secret("t0psecret")}]}

        @pytest.fixture
        def check(self):
            async def look(examined):
                (examined.data_dir / "probe").touch()
                return Finding(CheckState.WARN, "The token\\n" + examined.section["hosts"][0]["token"].reveal())

            return DoctorCheck(name="broken", look=look, needs="broken")


    class TestCheckOfGarbage(DoctorCheckContract):
        @pytest.fixture
        def check(self):
            async def look(examined):
                return "fine"

            return DoctorCheck(name="garbage", look=look)
"""
FAILING = [
    "TestStorage::TestAuditLog::test_goes_along_with_each_change",
    "TestCareless::TestMaintains::test_data_is_sound_whether_somebody_uses_it_or_not",
    "TestCareless::TestMaintains::test_copy_is_one_file_that_only_its_owner_may_read",
    "TestCareless::TestMaintains::test_copy_replaces_no_file",
    "TestCareless::TestMaintains::test_what_is_put_back_is_the_moment_of_the_copy",
    "TestCareless::TestMaintains::test_copy_can_be_put_back_again_and_keeps_whatever_was_there",
    "TestCareless::TestMaintains::test_nothing_is_put_back_beside_whoever_uses_it",
    "TestCareless::TestMaintains::test_copy_that_is_damaged_or_none_is_refused_and_nothing_is_changed[cut off]",
    "TestInTwoSteps::TestApiKeys::test_successor_takes_the_name_and_place_of_a_key_in_one_step",
    "TestInTwoSteps::TestApiKeys::test_key_stays_as_it_was_where_its_successor_cannot_be_stored",
    "TestLosing::TestAccountChanges::test_none_of_many_at_once_is_lost",
    "TestLosing::TestAccountChanges::test_both_words_count_when_two_change_different_things",
    "TestLosing::TestAccountChanges::test_secrets_are_replaced_only_where_the_former_ones_are_stored",
    "TestLosing::TestAccountChanges::test_one_of_many_that_replace_the_same_secret_wins",
    "TestPolicy::test_chooses_one_of_the_ready[1-need0]",
    "TestSlots::test_gives_no_more_than_the_limit",
    "TestLimits::test_counting_begins_anew_when_the_window_is_over",
    "TestRefunds::test_what_is_refunded_can_be_used_again_and_no_more",
    "TestRefunds::test_refund_begins_no_window_and_makes_none_longer",
    "TestEvents::test_other_process_hears_what_is_published",
    "TestCoordination::test_slots_are_counted_over_all_processes",
    "TestCoordination::test_limits_are_counted_over_all_processes",
    "TestCoordination::test_process_that_ends_gives_its_slots_back",
    "TestStore::test_gives_back_what_it_took[1]",
    "TestVaultWithHost::TestVault::test_host_of_an_account_is_kept_with_the_account_and_not_with_its_secrets",
    "TestUpstream::test_exchange_refuses_a_session_that_was_revoked",
    "TestUpstream::test_exchange_refuses_what_is_no_session",
    "TestUpstream::test_produce_makes_as_many_different_pictures_as_were_ordered",
    "TestUpstream::test_video_runs_then_is_done_and_its_bytes_can_be_had",
    "TestUpstream::test_poll_tells_of_many_operations_at_once",
    "TestUpstream::test_media_that_is_not_there_is_not_found",
    "TestUpstream::test_deleted_product_is_gone",
    "TestUpstream::test_cancelled_call_ends_at_once_and_leaves_the_upstream_usable",
    "TestUpstream::test_does_not_serve_what_it_cannot_make",
    "TestObserver::test_takes_every_kind_that_it_wants[disk.full]",
    "TestObserver::test_takes_many_of_one_moment_and_one_of_the_past",
    "TestObserver::test_kinds_that_it_wants_are_kinds_of_notices",
    "TestSelector::test_chooses_one_of_the_members[50]",
    "TestSelector::test_leaves_the_members_as_they_are",
    "TestSelector::test_never_chooses_one_that_is_gone",
    "TestShaper::test_every_link_is_in_the_text_as_it_was_given_and_in_order[2]",
    "TestShaper::test_writes_pictures_and_videos[image]",
    "TestShaper::test_answer_without_results_is_a_text_too",
    "TestShaper::test_one_answer_does_not_hang_on_another",
    "TestShaper::test_is_quick",
    "TestCheck::test_says_it_in_one_line_and_how_to_mend_it",
    "TestCheck::test_tells_no_secret",
    "TestCheck::test_changes_nothing",
    "TestCheck::test_needs_another_check_than_itself",
    "TestCheckOfGarbage::test_finds_something_or_has_nothing_to_say",
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest says of broken implementations."""
    folder = tmp_path_factory.mktemp("broken")
    (folder / "test_broken.py").write_text(textwrap.dedent(BROKEN))
    wanted = "audit or one_of_the_ready or no_more_than or gives_back_what or (NobodySaidHow and ping) or (WithHost and host) or (Losing and Changes)"
    wanted += (
        " or TestUpstream or TestObserver or TestSelector or TestShaper or TestCheck or (TestCareless and Maintains)"
    )
    wanted += (
        " or begins_anew or hears_what_is_published or over_all_processes or gives_its_slots or (NoMeeting and reached)"
    )
    wanted += " or (InTwoSteps and ApiKeys) or refund"
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", "-k", wanted]
    command += ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder), str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("failed", FAILING)
def test_what_is_broken_fails(told: str, failed: str) -> None:
    assert f"test_broken.py::{failed}" in told.partition("short test summary")[2]


def test_failure_shows_what_was_compared(told: str) -> None:
    assert "assert {99999} <= {1}" in told


def test_suite_without_an_implementation_says_what_to_define(told: str) -> None:
    assert "Say how the storage is made: override the fixture `new_storage`." in told
    assert "Say how the coordination is made: override the fixture `new_process`." in told
