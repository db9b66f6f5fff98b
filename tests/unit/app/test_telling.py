"""Plugins' observers and webhooks hear what the program notices, whole."""

import asyncio
import json
from collections.abc import Iterable

from flow2api.adapters.system import SystemClock
from flow2api.app.telling import Telling, build_telling
from flow2api.domain.account import Account, RestReason, Tier
from flow2api.domain.lease import AccountPool
from flow2api.domain.notices import Notice, NoticeKind
from flow2api.domain.options import Options
from flow2api.domain.ports.system import Clock
from flow2api.domain.secret import Secret
from flow2api.domain.webhook import Webhook
from flow2api.extensions import load_extensions
from flow2api.hookspecs import ObserverFactory, Section, hookimpl
from flow2api.plugins.coordination_memory import MemorySlots
from flow2api.settings import load_settings
from flow2api.testing.fakes.clock import START
from flow2api.testing.fakes.storage import FakeStorage
from tests.hook_receiver import Receiver, receiving

ACCOUNT = Account(id=7, upstream="flow", name="seven", created_at=START, tier=Tier.PRO)


class Plugin:
    """An observer that another distribution could bring along."""

    def __init__(self) -> None:
        self.heard: list[Notice] = []
        self.section: Section = {}

    @hookimpl
    def register_observers(self) -> Iterable[ObserverFactory]:
        def build(section: Section) -> "Plugin":
            self.section = section
            return self

        return [ObserverFactory("mine", build)]

    def notify(self, notice: Notice) -> None:
        self.heard.append(notice)


def built(plugin: Plugin, storage: FakeStorage, pool: AccountPool, clock: Clock) -> Telling:
    extensions = load_extensions(extra={"mine": plugin})
    settings = load_settings({"FLOW2API_MINE__COLOUR": "red"}, sections=extensions.sections)
    options = Options(private_webhooks=True, media_base_url="https://media.example.org/")
    link = lambda media_id, seconds: f"/media/{media_id}?for={seconds}"  # noqa: E731 - as short as it is
    return build_telling(settings, extensions, storage, pool, link, lambda: options, clock)


async def _told(receiver: Receiver, plugin: Plugin) -> list[str]:
    clock = SystemClock()
    storage, pool = FakeStorage(clock), AccountPool(MemorySlots(), clock)
    await storage.webhooks.add(
        Webhook(
            id=0,
            name="shop",
            url=Secret(receiver.url("/shop")),
            shown="",
            signing=Secret("whsec_" + "QUJD" * 10),
            kinds=frozenset(NoticeKind),
            created_at=START,
        )
    )
    telling = built(plugin, storage, pool, clock)
    pool.put(ACCOUNT)
    await telling.begin()
    pool.put(ACCOUNT.resting(RestReason.AUTH_EXPIRED, START))
    pool.put(ACCOUNT)
    running = asyncio.create_task(telling.webhooks.run())
    async with asyncio.timeout(30):
        while len(receiver.of("/shop")) < 2:
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait([running])
    await telling.stop()
    return sorted(json.loads(got.body)["type"] for got in receiver.of("/shop"))


async def test_what_the_pool_goes_through_is_heard_by_observers_and_webhooks() -> None:
    plugin = Plugin()
    with receiving() as receiver:
        told = await _told(receiver, plugin)

    assert told == ["account.needs_care", "account.recovered"]
    assert [notice.kind for notice in plugin.heard] == [NoticeKind.ACCOUNT_NEEDS_CARE, NoticeKind.ACCOUNT_RECOVERED]
    assert plugin.section == {"colour": "red"}


def test_of_two_observers_of_one_name_the_later_is_left_out() -> None:
    (left_out,) = load_extensions(extra={"one": Plugin(), "two": Plugin()}).left_out
    assert left_out.name == "two"
    assert "both register 'mine'" in str(left_out.error)


def test_log_is_always_an_observer() -> None:
    assert "log" in load_extensions().observers
