"""What a storage promises of proxies, and of who has which."""

from dataclasses import replace
from datetime import timedelta

import pytest

from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError
from flow2api.domain.ports.proxies import Assignment
from flow2api.domain.ports.storage import Storage
from flow2api.domain.proxy import Proxy, ProxyHealth, ProxyState
from flow2api.domain.secret import Secret
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.samples import account_of, credentials_of

PASSWORD = "pass-word-canary"  # noqa: S105 - no password of anything


def proxy_of(name: str, clock: FakeClock, *, pool: str | None = "eu") -> Proxy:
    """A proxy that has a password."""
    return Proxy(
        id=0,
        name=name,
        url=Secret(f"socks5h://user:{PASSWORD}@192.0.2.1:1080"),
        address="socks5h://192.0.2.1:1080",
        created_at=clock.now(),
        pool=pool,
    )


def whole_health(clock: FakeClock) -> ProxyHealth:
    """A health of which no field has its default."""
    return ProxyHealth(
        state=ProxyState.DOWN,
        since=clock.now() - timedelta(minutes=1),
        checked_at=clock.now(),
        latency_ms=31,
        failures=4,
        egress="192.0.2.200",
        fault="It is closed.",
    )


async def kept(storage: Storage) -> dict[Assignment, str]:
    """All assignments."""
    return {key: name async for batch in storage.proxies.assignments() for key, name in batch.items()}


class ProxiesContract:
    """Proxies and their assignments."""

    async def test_keeps_every_field(self, storage: Storage, clock: FakeClock) -> None:
        second = await storage.proxies.add(replace(proxy_of("two", clock, pool=None), is_enabled=False))
        first = await storage.proxies.add(proxy_of("one", clock))
        await storage.proxies.note_health({first.id: whole_health(clock)})

        assert await storage.proxies.all() == [replace(first, health=whole_health(clock)), second]

    async def test_name_is_unique_and_the_refusal_writes_nothing(self, storage: Storage, clock: FakeClock) -> None:
        await storage.proxies.add(proxy_of("one", clock))

        with pytest.raises(ConflictError):
            await storage.proxies.add(proxy_of("one", clock))
        assert len(await storage.proxies.all()) == 1

    async def test_change_leaves_health_alone_and_takes_its_audit_entry_along(
        self, storage: Storage, clock: FakeClock
    ) -> None:
        added = await storage.proxies.add(proxy_of("one", clock))
        await storage.proxies.note_health({added.id: whole_health(clock)})
        actor = Actor(name="ada", door="command_line")
        entry = AuditEntry(at=clock.now(), actor=actor, action=AuditAction.PROXY_CHANGED, subject="one")

        await storage.proxies.save(replace(added, is_enabled=False, pool="us"), entry)

        (found,) = await storage.proxies.all()
        assert (found.is_enabled, found.pool, found.health) == (False, "us", whole_health(clock))
        (written,) = await storage.audit_log.page(before=None, limit=10)
        assert (written.action, written.subject) == (AuditAction.PROXY_CHANGED, "one")

    async def test_late_save_undoes_nothing_that_others_have_changed(self, storage: Storage, clock: FakeClock) -> None:
        seen = await storage.proxies.add(proxy_of("one", clock))
        now = replace(seen, is_enabled=False, pool="us")
        await storage.proxies.save(now, former=seen)
        told = await storage.changes.latest()

        actor = Actor(name="ada", door="command_line")
        entry = AuditEntry(at=clock.now(), actor=actor, action=AuditAction.PROXY_CHANGED, subject="one")
        with pytest.raises(ChangedMeanwhileError, match="pool, switch"):
            await storage.proxies.save(replace(seen, url=Secret("http://192.0.2.2:1")), entry, former=seen)
        assert await storage.proxies.all() == [now]
        assert await storage.changes.latest() == told
        assert list(await storage.audit_log.page(before=None, limit=10)) == []

        await storage.proxies.note_health({seen.id: whole_health(clock)})  # how it fares is nobody's word
        await storage.proxies.save(replace(now, pool="eu"), former=now)
        await storage.proxies.save(replace(now, id=99), former=replace(now, id=99))  # it is gone
        assert [one.pool for one in await storage.proxies.all()] == ["eu"]

    async def test_feed_tells_of_changes_and_of_another_state_only(self, storage: Storage, clock: FakeClock) -> None:
        added = await storage.proxies.add(proxy_of("one", clock))
        await storage.proxies.save(added)
        await storage.proxies.note_health({added.id: whole_health(clock)})
        told = await storage.changes.latest()

        await storage.proxies.note_health({added.id: replace(whole_health(clock), latency_ms=99)})

        assert await storage.changes.latest() == told
        changes = await storage.changes.since(0)
        assert [(change.what, change.id) for change in changes] == [("proxy", str(added.id))] * 3

    async def test_removal_forgets_who_has_it_and_happens_once(self, storage: Storage, clock: FakeClock) -> None:
        added = await storage.proxies.add(proxy_of("one", clock))
        (account,) = await storage.accounts.add([(account_of("a"), credentials_of("a"))])
        await storage.proxies.assign({(account.id, "eu"): "one", (account.id, "us"): "other"})

        assert await storage.proxies.remove(added.id)
        assert not await storage.proxies.remove(added.id)

        assert await kept(storage) == {(account.id, "us"): "other"}
        late = whole_health(clock)
        await storage.proxies.note_health({added.id: late})
        assert list(await storage.proxies.all()) == []

    async def test_assignments_are_kept_by_account_and_pool_and_go_with_the_account(self, storage: Storage) -> None:
        accounts = await storage.accounts.add([(account_of(f"a{n}"), credentials_of(f"a{n}")) for n in range(3)])
        one, two, three = (account.id for account in accounts)
        await storage.proxies.assign({(one, "eu"): "p1", (one, "us"): "p2", (two, "eu"): "p1", (999, "eu"): "p1"})
        await storage.proxies.assign({(one, "eu"): "p3", (three, "eu"): "p1"})
        await storage.accounts.remove(two)

        assert await kept(storage) == {(one, "eu"): "p3", (one, "us"): "p2", (three, "eu"): "p1"}

    async def test_more_assignments_than_one_step_takes_come_back_whole(self, storage: Storage) -> None:
        accounts = await storage.accounts.add([(account_of(f"a{n}"), credentials_of(f"a{n}")) for n in range(600)])
        chosen = {(account.id, pool): f"p{account.id % 7}" for account in accounts for pool in ("eu", "us")}

        await storage.proxies.assign(chosen)

        assert await kept(storage) == chosen
