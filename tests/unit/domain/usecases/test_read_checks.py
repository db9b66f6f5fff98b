"""The last checks of a list of accounts."""

from dataclasses import replace

from flow2api.domain.checks import of_renewal
from flow2api.domain.health import HealthEvent, HealthKind
from flow2api.domain.ports.storage import HealthLog
from flow2api.domain.usecases.read_checks import LARGEST_LIST, ReadChecks
from flow2api.testing.fakes.clock import START as NOW
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage
from flow2api.testing.samples import account_of


async def test_every_account_of_the_list_is_there_once() -> None:
    storage = FakeStorage(FakeClock())
    storage.tables.accounts[2] = replace(account_of("two"), id=2)
    storage.health.note(HealthEvent(2, NOW, HealthKind.ACCESS_RENEWED))

    found = await ReadChecks(storage.health)([1, 2, 2])

    assert found == {1: (), 2: [of_renewal(NOW, HealthKind.ACCESS_RENEWED)]}
    assert await ReadChecks(storage.health)([]) == {}
    assert len(await ReadChecks(storage.health)(range(1000))) == LARGEST_LIST


async def test_storage_that_does_not_tell_leaves_them_empty() -> None:
    class Plain:
        def __init__(self, log: HealthLog) -> None:
            self.note, self.page, self.forget = log.note, log.page, log.forget

    assert await ReadChecks(Plain(FakeStorage(FakeClock()).health))([1]) == {1: ()}
