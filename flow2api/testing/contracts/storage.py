"""What a storage promises as a whole, and the bundle of all its suites."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import fields, replace
from datetime import UTC, datetime

import pytest

from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import Change, CountsDropped, LogEntry, PeeksOptions, Storage, TellsOwnChanges
from flow2api.domain.request_log import LogFilter, LoggedRequest
from flow2api.testing.contracts.accounts import (
    AccountDirectoryContract,
    AccountsContract,
    ApiKeysContract,
    VaultContract,
)
from flow2api.testing.contracts.changing import AccountChangesContract
from flow2api.testing.contracts.credits import CreditsHistoryContract
from flow2api.testing.contracts.generations import (
    GenerationDirectoryContract,
    GenerationsContract,
    PagesContract,
    PastRequestsContract,
)
from flow2api.testing.contracts.health import HealthLogContract
from flow2api.testing.contracts.inheritance import ConnectionTokensContract, InheritanceContract
from flow2api.testing.contracts.leases import LeasesContract
from flow2api.testing.contracts.maintenance import MaintainsContract
from flow2api.testing.contracts.media_index import MediaIndexContract
from flow2api.testing.contracts.operators import (
    AuditLogContract,
    OperatorsContract,
    SessionsContract,
    SignInTriesContract,
)
from flow2api.testing.contracts.prompts import FindsPromptsContract
from flow2api.testing.contracts.proxies import ProxiesContract
from flow2api.testing.contracts.reading import NewStorage, all_accounts, new_changes
from flow2api.testing.contracts.records import RequestLogContract, StatisticsContract
from flow2api.testing.contracts.repeats import ClaimsContract, RepeatsContract
from flow2api.testing.contracts.second_factors import SecondFactorsContract, SetupCodesContract
from flow2api.testing.contracts.telling import (
    DeliveriesContract,
    EchoesContract,
    NotifyTargetsContract,
    ToldNoticesContract,
    WebhooksContract,
)
from flow2api.testing.contracts.trash import AccountTrashContract
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.samples import (
    NOW,
    account_of,
    credentials_of,
    generation_of,
    key_of,
    media_of,
    operator_of,
    whole_generation,
)


class ChangeFeedContract:
    """Numbered changes."""

    async def test_begins_with_nothing(self, storage: Storage) -> None:
        assert await storage.changes.latest() == 0
        assert list(await storage.changes.since(0)) == []

    async def test_numbers_grow_and_nothing_is_told_twice(self, storage: Storage) -> None:
        await storage.options.write({"policy": "random"}, "operator")
        await storage.accounts.add([(account_of("a"), credentials_of("a")), (account_of("b"), credentials_of("b"))])

        changes = await storage.changes.since(0)

        assert changes == [
            Change(1, "options", "policy", is_own=True),
            Change(2, "account", "1", is_own=True),
            Change(3, "account", "2", is_own=True),
        ]
        assert await storage.changes.latest() == 3
        assert list(await storage.changes.since(0, limit=2)) == changes[:2]
        assert list(await storage.changes.since(2)) == changes[2:]
        assert list(await storage.changes.since(3)) == []

    async def test_tells_of_its_own_changes_when_they_are_stored(self, storage: Storage) -> None:
        if not isinstance(storage.changes, TellsOwnChanges):
            return
        told: list[int] = []
        stored = asyncio.Event()
        storage.changes.tell(lambda: told.append(len(told)))
        storage.changes.tell(stored.set)

        await storage.ping()
        await storage.changes.latest()
        assert told == []
        await storage.options.write({"policy": "random"}, "operator")
        async with asyncio.timeout(30):
            await stored.wait()

        assert told == [0]
        assert await storage.changes.latest() == 1


class OptionsContract:
    """Options that an operator has set."""

    async def test_keeps_json_values(self, storage: Storage) -> None:
        values = {
            "a": 1,
            "b": 2.5,
            "c": "text",
            "d": True,
            "e": ["x", 1],
            "f": {"g": None},
            "h": 0,
            "i": "",
            "j": False,
        }

        await storage.options.write(values, "operator")

        assert await storage.options.read() == values

    async def test_none_goes_back_to_the_default(self, storage: Storage) -> None:
        await storage.options.write({"a": 1, "b": 2}, "operator")
        await storage.options.write({"a": None, "c": None}, "operator")
        await storage.options.write({}, "operator")

        assert await storage.options.read() == {"b": 2}

    async def test_last_write_counts(self, storage: Storage) -> None:
        for value in (1, 2, 3):
            await storage.options.write({"a": value}, "operator")

        assert await storage.options.read() == {"a": 3}


class PeeksOptionsContract:
    """The options, told before a storage is opened; asked of those that offer it."""

    @pytest.fixture
    def unopened(self, new_storage: NewStorage) -> PeeksOptions:
        """A storage over the data of the test, not open."""
        made = new_storage()
        if not isinstance(made, PeeksOptions):
            pytest.skip("it does not tell its options before it is opened")
        return made

    async def test_tells_nothing_as_long_as_there_is_no_data(self, unopened: PeeksOptions) -> None:
        assert dict(unopened.peek_options()) == {}

    async def test_tells_what_was_set_beside_one_that_is_open(self, unopened: PeeksOptions, storage: Storage) -> None:
        await storage.options.write({"plugins": ["a", "b"], "gone": 1}, "operator")
        await storage.options.write({"gone": None}, "operator")

        assert dict(unopened.peek_options()) == {"plugins": ["a", "b"]}

    async def test_tells_what_was_set_when_none_is_open(self, unopened: PeeksOptions, storage: Storage) -> None:
        await storage.options.write({"policy": "random"}, "operator")
        await storage.aclose()

        assert dict(unopened.peek_options()) == {"policy": "random"}


class WholeContract:
    """What concerns all repositories: opening, closing, and what is there afterwards."""

    async def test_journal_takes_entries_without_waiting_and_has_all_of_them_in_the_end(
        self, storage: Storage, new_storage: NewStorage
    ) -> None:
        made = LogEntry(NOW, "req", 1, "images", "m", 1, None, "completed", None, 12, MediaKind.IMAGE)
        entries = [replace(made, generation_id=f"gen_{number}") for number in range(1500)]
        failed = LogEntry(NOW, "req", None, "videos", "v", None, None, "failed", "upstream_timeout", 5)

        for entry in (*entries, failed):
            storage.journal.note(entry)
        await storage.aclose()
        if isinstance(storage.journal, CountsDropped):
            assert storage.journal.dropped == 0

        again = new_storage()
        await again.open()
        lines = await again.request_log.since(LogFilter(), 0, 2000)
        await again.aclose()
        assert [_entry_of(line) for line in lines] == [*entries, failed]

    async def test_what_was_written_is_there_after_it_was_closed_and_opened(
        self, storage: Storage, new_storage: NewStorage
    ) -> None:
        (account,) = await storage.accounts.add([(account_of("a"), credentials_of("a"))])
        key = await storage.api_keys.add(key_of("k"))
        operator = await storage.operators.add(operator_of("ada"))
        await storage.options.write({"policy": "random"}, "ada")
        await storage.generations.add([whole_generation()])
        await storage.media.add([media_of("med_1")])
        latest = await storage.changes.latest()
        await storage.aclose()

        again = new_storage()
        await again.open()
        assert await all_accounts(again) == [account]
        assert await again.vault.read(account.id) == credentials_of("a")
        assert await again.api_keys.all() == [key]
        assert await again.operators.all() == [operator]
        assert await again.options.read() == {"policy": "random"}
        assert await again.generations.get(whole_generation().id) == whole_generation()
        assert await again.media.get(["med_1"]) == [media_of("med_1")]
        assert await again.changes.latest() == latest
        (added,) = await again.accounts.add([(account_of("b"), credentials_of("b"))])
        assert added.id > account.id
        assert await new_changes(again, latest) == [("account", str(added.id))]
        await again.aclose()

    async def test_two_at_once_see_what_each_other_wrote(self, storage: Storage, new_storage: NewStorage) -> None:
        other = new_storage()
        await other.open()
        try:
            await storage.generations.add([generation_of("gen_1")])
            (added,) = await other.accounts.add([(account_of("a"), credentials_of("a"))])

            assert await other.generations.get("gen_1") == generation_of("gen_1")
            assert await storage.accounts.get(added.id) == added
            assert await new_changes(storage) == [("account", str(added.id))]
        finally:
            await other.aclose()

    async def test_ping_is_silent_while_it_can_write(self, storage: Storage) -> None:
        await storage.ping()

    async def test_closing_twice_does_no_harm(self, storage: Storage) -> None:
        await storage.aclose()
        await storage.aclose()


class StorageContract:
    """Everything that a storage promises: subclass it, and say how yours is made.

    ::

        class TestMyStorage(StorageContract):
            @pytest.fixture
            def new_storage(self, tmp_path: Path, clock: FakeClock) -> NewStorage:
                return lambda: MyStorage(tmp_path / "data", FakeCipher(), clock)

    ``new_storage`` makes storages that are not open yet, each over the same data, which is empty at the beginning of a
    test. The clock is the one that the storage has to go by.
    """

    @pytest.fixture
    def clock(self) -> FakeClock:
        """The time that the storage goes by; it begins with the time of day."""
        return FakeClock(datetime.now(UTC))

    @pytest.fixture
    def new_storage(self) -> NewStorage:
        """To be overridden."""
        raise NotImplementedError("Say how the storage is made: override the fixture `new_storage`.")

    @pytest.fixture
    async def storage(self, new_storage: NewStorage) -> AsyncIterator[Storage]:
        """An open storage without anything in it."""
        made = new_storage()
        await made.open()
        yield made
        await made.aclose()

    TestAccounts = AccountsContract
    TestVault = VaultContract
    TestAccountChanges = AccountChangesContract
    TestAccountDirectory = AccountDirectoryContract
    TestApiKeys = ApiKeysContract
    TestOperators = OperatorsContract
    TestSessions = SessionsContract
    TestSignInTries = SignInTriesContract
    TestSecondFactors = SecondFactorsContract
    TestSetupCodes = SetupCodesContract
    TestAuditLog = AuditLogContract
    TestConnectionTokens = ConnectionTokensContract
    TestInheritance = InheritanceContract
    TestProxies = ProxiesContract
    TestGenerations = GenerationsContract
    TestGenerationDirectory = GenerationDirectoryContract
    TestPages = PagesContract
    TestLeases = LeasesContract
    TestClaims = ClaimsContract
    TestRepeats = RepeatsContract
    TestPastRequests = PastRequestsContract
    TestMediaIndex = MediaIndexContract
    TestChangeFeed = ChangeFeedContract
    TestOptions = OptionsContract
    TestPeeksOptions = PeeksOptionsContract
    TestMaintains = MaintainsContract
    TestRequestLog = RequestLogContract
    TestStatistics = StatisticsContract
    TestNotifyTargets = NotifyTargetsContract
    TestToldNotices = ToldNoticesContract
    TestWebhooks = WebhooksContract
    TestDeliveries = DeliveriesContract
    TestEchoes = EchoesContract
    TestHealthLog = HealthLogContract
    TestCreditsHistory = CreditsHistoryContract
    TestFindsPrompts = FindsPromptsContract
    TestAccountTrash = AccountTrashContract
    TestWhole = WholeContract


def _entry_of(line: LoggedRequest) -> LogEntry:
    values = {field.name: getattr(line, field.name) for field in fields(LogEntry) if field.name != "credits"}
    return LogEntry(**{**values, "kind": line.kind and MediaKind(line.kind)})
