from collections.abc import Collection
from typing import Any

import pytest

from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.legacy import LegacySettings, TableReport
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.inherit_settings import SETTINGS_TABLES, InheritSettings
from flow2api.domain.usecases.manage_proxies import ManageProxies
from flow2api.settings import parse_options
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage

ADA = Actor(name="ada", door="command_line")
OLD = LegacySettings(
    proxy_url=Secret("http://user:canary@p:1"),
    proxy_address="http://p:1",
    is_proxy_used=True,
    image_timeout_s=400,
    video_timeout_s=1500,
    max_retries=2,
    error_threshold=5,
    is_cached=True,
    cached_s=7200,
    base_url="https://media.example.org",
    is_debugged=True,
)
TAKEN = {
    "proxy": "p",
    "image_timeout_s": 400.0,
    "max_attempts": 3,
    "error_threshold": 5,
    "image_retention_h": 2.0,
    "video_retention_h": 2.0,
    "media_base_url": "https://media.example.org",
    "debug_log": True,
}


@pytest.fixture
def storage() -> FakeStorage:
    return FakeStorage(FakeClock())


def inherit(storage: FakeStorage, fixed: Collection[str] = ()) -> InheritSettings:
    manage = ManageProxies(storage.proxies, storage.accounts, FakeClock())
    return InheritSettings(storage.options, manage, FakeClock(), ADA, parse=parse_options, fixed=fixed)


def reports(*tables: str) -> dict[str, TableReport]:
    return {table: TableReport(rows=1) for table in tables or SETTINGS_TABLES}


def told(found: dict[str, TableReport]) -> dict[str, tuple[int, int]]:
    return {table: (report.added, report.known) for table, report in found.items()}


async def test_what_has_an_option_is_set_and_what_is_the_default_is_not(storage: FakeStorage) -> None:
    found = reports()

    notes = await inherit(storage)(OLD, found)

    assert await storage.options.read() == TAKEN
    assert told(found) == dict.fromkeys(SETTINGS_TABLES, (1, 0))
    assert notes == [f"Options set as they were there: {', '.join(sorted(TAKEN))}."]
    assert [entry.action for entry in storage.tables.audit] == [AuditAction.PROXY_ADDED, AuditAction.OPTIONS_CHANGED]
    assert "canary" not in repr((notes, storage.tables.audit, found))


async def test_again_it_changes_nothing(storage: FakeStorage) -> None:
    await inherit(storage)(OLD, reports())
    found = reports()

    assert await inherit(storage)(OLD, found) == []
    assert told(found) == dict.fromkeys(SETTINGS_TABLES, (0, 1))
    assert len(storage.tables.proxies) == 1
    assert len(storage.tables.audit) == 2


async def test_what_is_set_here_stays(storage: FakeStorage) -> None:
    await storage.options.write({"image_timeout_s": 77.0, "proxy": ""}, "ada")
    found = reports("generation_config", "proxy_config")

    await inherit(storage)(OLD, found)

    stored = await storage.options.read()
    assert (stored["image_timeout_s"], stored["proxy"], stored["max_attempts"]) == (77.0, "", 3)
    assert told(found) == {"generation_config": (1, 0), "proxy_config": (1, 0)}


async def test_what_is_fixed_here_is_told(storage: FakeStorage) -> None:
    found = reports("debug_config")
    await inherit(storage, {"debug_log"})(OLD, found)

    assert await storage.options.read() == {}
    assert list(found["debug_config"].skipped) == [
        "The option debug_log is fixed here by the settings file or the environment."
    ]


@pytest.mark.parametrize(
    ("old", "table", "says"),
    [
        ({"image_timeout_s": 0}, "generation_config", "image_timeout_s is a number from 1"),
        ({"base_url": "ftp://x"}, "cache_config", "media_base_url is no address"),
        ({"proxy_fault": "not by no scheme", "is_proxy_used": True}, "proxy_config", "not by no scheme"),
    ],
)
async def test_what_cannot_be_used_is_told_and_stops_nothing(
    storage: FakeStorage, old: dict[str, Any], table: str, says: str
) -> None:
    found = reports()
    await inherit(storage)(LegacySettings(**{"is_debugged": True, **old}), found)

    (reason,) = found[table].skipped
    assert says in reason
    assert "canary" not in reason
    assert await storage.options.read() == {"debug_log": True}


async def test_proxy_that_was_off_is_here_and_used_by_nobody(storage: FakeStorage) -> None:
    old = LegacySettings(proxy_url=Secret("http://p:1"), proxy_address="http://p:1")
    assert await inherit(storage)(old, reports()) == [
        "The proxy 'p' was switched off there; it is here, and nobody uses it."
    ]
    assert await inherit(storage)(old, reports()) == []
    assert len(storage.tables.proxies) == 1


async def test_media_that_was_not_kept_says_nothing_of_how_long(storage: FakeStorage) -> None:
    await inherit(storage)(LegacySettings(cached_s=7200), reports())
    assert await storage.options.read() == {}


async def test_tables_that_the_file_lacks_or_that_are_empty_say_nothing(storage: FakeStorage) -> None:
    found = {"debug_config": TableReport(rows=0), "proxy_config": TableReport(rows=0)}
    assert await inherit(storage)(OLD, found) == []
    assert storage.tables.proxies == {}
    assert await storage.options.read() == {}
