from collections.abc import Sequence
from dataclasses import replace

import pytest

from flow2api.domain.account import Account
from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.errors import ChangedMeanwhileError, ConflictError, NotKnownError, UnsupportedInputError
from flow2api.domain.options import Options
from flow2api.domain.proxy import Proxy, ProxyHealth, ProxyState
from flow2api.domain.usecases.manage_proxies import ManageProxies
from flow2api.testing.fakes.clock import FakeClock
from flow2api.testing.fakes.storage import FakeStorage
from flow2api.testing.planting import plant
from flow2api.testing.samples import account_of, credentials_of

ADA = Actor(name="ada", door="command_line")


@pytest.fixture
def storage() -> FakeStorage:
    return FakeStorage(FakeClock())


@pytest.fixture
def manage(storage: FakeStorage) -> ManageProxies:
    return ManageProxies(storage.proxies, storage.accounts, FakeClock())


async def accounts_in(storage: FakeStorage, count: int) -> Sequence[Account]:
    return await storage.accounts.add([(account_of(f"a{n}"), credentials_of(f"a{n}")) for n in range(count)])


def audited(storage: FakeStorage) -> list[tuple[str, str | None]]:
    return [(entry.action, entry.subject) for entry in storage.tables.audit]


async def test_new_proxy_is_called_after_its_host_and_audited_without_credentials(
    manage: ManageProxies, storage: FakeStorage
) -> None:
    first = await manage.add("http://user:canary@proxy.example:1", ADA, pool="eu")
    second = await manage.add("http://user:canary@proxy.example:2", ADA, pool="eu")

    assert (first.name, second.name) == ("proxy.example", "proxy.example-2")
    assert audited(storage) == [
        (AuditAction.PROXY_ADDED, "proxy.example"),
        (AuditAction.PROXY_ADDED, "proxy.example-2"),
    ]
    assert "canary" not in repr(storage.tables.audit)
    assert "canary" not in repr(storage.tables.proxies)


@pytest.mark.parametrize(
    ("url", "name", "pool"),
    [
        ("http://p:1", "x", "us"),
        ("http://p:9", "one", None),
        ("http://p:9", "eu", None),
        ("http://p:9", "x", "one"),
        ("http://p:9", "x", "x"),
    ],
    ids=["same url", "name of a proxy", "name of a pool", "pool called as a proxy", "pool called as itself"],
)
async def test_what_two_things_could_be_called_is_refused(
    manage: ManageProxies, url: str, name: str, pool: str | None
) -> None:
    await manage.add("http://p:1", ADA, name="one", pool="eu")

    with pytest.raises(ConflictError):
        await manage.add(url, ADA, name=name, pool=pool)
    assert len(await manage.all()) == 1


async def test_bad_name_or_url_changes_nothing(manage: ManageProxies) -> None:
    for url, name, pool in (("socks9://p:1", None, None), ("http://p:1", "a b", None), ("http://p:1", None, "direct")):
        with pytest.raises(UnsupportedInputError):
            await manage.add(url, ADA, name=name, pool=pool)
    assert list(await manage.all()) == []


async def test_proxies_are_found_by_name_and_by_pool_and_a_wrong_name_gets_the_nearest(manage: ManageProxies) -> None:
    for name, pool in (("one", "eu"), ("two", "eu"), ("three", None)):
        await manage.add(f"http://{name}:1", ADA, name=name, pool=pool)

    assert [one.name for one in await manage.find(["eu"])] == ["one", "two"]
    assert [one.name for one in await manage.find(["three", "one"])] == ["one", "three"]
    assert len(await manage.find([])) == 3
    with pytest.raises(ConflictError, match="Did you mean 'three'"):
        await manage.find(["tree"])


async def test_switching_is_written_once(manage: ManageProxies, storage: FakeStorage) -> None:
    proxy = await manage.add("http://p:1", ADA, name="one")

    off = await manage.set_enabled(proxy, ADA, enabled=False)
    assert await manage.set_enabled(off, ADA, enabled=False) == off

    assert not (await manage.all())[0].is_enabled
    assert audited(storage)[1:] == [(AuditAction.PROXY_CHANGED, "one")]


async def test_assigned_accounts_are_written_with_their_entries(manage: ManageProxies, storage: FakeStorage) -> None:
    accounts = await accounts_in(storage, 3)
    await manage.add("http://p:1", ADA, name="one", pool="eu")

    changed = await manage.assign(accounts[:2], "eu", ADA)
    assert await manage.assign(changed, "eu", ADA) == []
    await manage.assign(changed[:1], "direct", ADA)
    await manage.assign([storage.tables.accounts[changed[1].id]], "global", ADA)

    assert [storage.tables.accounts[one.id].proxy for one in accounts] == ["direct", None, None]
    assert audited(storage)[1:] == [(AuditAction.PROXY_ASSIGNED, str(n)) for n in (1, 2, 1, 2)]
    with pytest.raises(ConflictError, match="no proxy and no pool 'us'"):
        await manage.assign(accounts, "us", ADA)


async def test_proxy_that_somebody_needs_is_not_removed_unless_forced(
    manage: ManageProxies, storage: FakeStorage
) -> None:
    accounts = await accounts_in(storage, 2)
    lone = await manage.add("http://p:1", ADA, name="lone", pool="eu")
    await manage.assign(accounts, "eu", ADA)

    with pytest.raises(ConflictError, match=r"only way for 2 accounts \(1, 2\)"):
        await manage.remove(lone, ADA, Options())
    with pytest.raises(ConflictError, match="The option media_proxy names 'lone'"):
        await manage.remove(lone, ADA, Options(media_proxy="lone"))
    await manage.remove(lone, ADA, Options(proxy="lone"), is_forced=True)

    assert list(await manage.all()) == []
    assert audited(storage)[-1] == (AuditAction.PROXY_REMOVED, "lone")


async def test_one_of_several_in_a_pool_may_go(manage: ManageProxies, storage: FakeStorage) -> None:
    accounts = await accounts_in(storage, 1)
    made: list[Proxy] = [await manage.add(f"http://p:{n}", ADA, pool="eu") for n in (1, 2)]
    await manage.assign(accounts, "eu", ADA)

    await manage.remove(made[0], ADA, Options(proxy="eu"))

    assert [one.name for one in await manage.all()] == [made[1].name]


async def test_one_proxy_is_found_by_its_own_name_only(manage: ManageProxies) -> None:
    proxy = await manage.add("http://p:1", ADA, name="frankfurt", pool="eu")

    assert await manage.named("frankfurt") == proxy
    for name, message in (("eu", "is a pool"), ("frankfrt", "Did you mean 'frankfurt'"), ("x", "no proxy 'x'.$")):
        with pytest.raises(NotKnownError, match=message):
            await manage.named(name)


async def test_of_many_that_are_added_each_is_judged_with_those_before_it(
    manage: ManageProxies, storage: FakeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads, stored = 0, storage.proxies.all

    async def counted() -> Sequence[Proxy]:
        nonlocal reads
        reads += 1
        return await stored()

    monkeypatch.setattr(storage.proxies, "all", counted)
    urls = [f"http://u{number}:canary@p:{1 + number % 9}" for number in range(50)]
    outcomes = [one async for one in manage.add_each([*urls, urls[7], "ftp://p:1"], ADA, pool="eu")]

    assert reads == 1
    assert [one.name for one in outcomes[:3] if isinstance(one, Proxy)] == ["p", "p-2", "p-3"]
    assert len({one.name for one in outcomes if isinstance(one, Proxy)}) == 50
    assert [type(one) for one in outcomes[50:]] == [ConflictError, UnsupportedInputError]


class TestChange:
    async def test_other_place_keeps_name_and_accounts_and_has_no_health_yet(
        self, manage: ManageProxies, storage: FakeStorage
    ) -> None:
        proxy = await manage.add("http://user:old-canary@p:1", ADA, name="one")
        await storage.proxies.note_health({proxy.id: ProxyHealth(state=ProxyState.DOWN, failures=9)})
        (one,) = await manage.all()

        changed = await manage.change(one, ADA, Options(), url="socks5h://user:canary@q:2")

        assert (changed.name, changed.address, changed.health) == ("one", "socks5h://q:2", ProxyHealth())
        assert await manage.all() == [changed]
        entry = storage.tables.audit[-1]
        assert (entry.action, entry.subject) == (AuditAction.PROXY_CHANGED, "one")
        assert entry.details == {"before": {"address": "http://p:1"}, "after": {"address": "socks5h://q:2"}}

    async def test_of_new_credentials_the_audit_tells_only_that(
        self, manage: ManageProxies, storage: FakeStorage
    ) -> None:
        proxy = await manage.add("http://user:old-canary@p:1", ADA, name="one")
        await manage.change(proxy, ADA, Options(), url="http://user:canary@p:1")

        assert storage.tables.audit[-1].details == {"before": {}, "after": {"credentials": "new"}}

    async def test_what_is_so_already_is_no_change(self, manage: ManageProxies, storage: FakeStorage) -> None:
        proxy = await manage.add("http://p:1", ADA, name="one", pool="eu")
        health = ProxyHealth(state=ProxyState.HEALTHY)
        await storage.proxies.note_health({proxy.id: health})
        (one,) = await manage.all()

        assert await manage.change(one, ADA, Options(), url=" http://p:1 ", pool="eu") == one
        assert one.health == health
        assert len(audited(storage)) == 1

    async def test_pool_is_left_or_changed(self, manage: ManageProxies) -> None:
        proxy = await manage.add("http://p:1", ADA, name="one", pool="eu")
        moved = await manage.change(proxy, ADA, Options(), pool="us")
        assert (await manage.change(moved, ADA, Options(), pool="")).pool is None

    @pytest.mark.parametrize(("url", "pool"), [("http://q:1", None), (None, "two"), (None, "one")])
    async def test_what_another_one_has_is_refused(
        self, manage: ManageProxies, url: str | None, pool: str | None
    ) -> None:
        one = await manage.add("http://p:1", ADA, name="one")
        await manage.add("http://q:1", ADA, name="two")

        with pytest.raises(ConflictError):
            await manage.change(one, ADA, Options(), url=url, pool=pool)
        assert (await manage.all())[0] == one

    async def test_last_one_leaves_no_pool_that_is_needed_unless_forced(self, manage: ManageProxies) -> None:
        one = await manage.add("http://p:1", ADA, name="one", pool="eu")
        two = await manage.add("http://p:2", ADA, name="two", pool="eu")
        options = Options(proxy="eu")
        await manage.change(two, ADA, options, pool="")

        with pytest.raises(ConflictError, match="option proxy names 'eu'"):
            await manage.change(one, ADA, options, pool="us")
        assert (await manage.change(one, ADA, options, pool="us", is_forced=True)).pool == "us"


async def test_word_about_a_proxy_that_somebody_has_changed_since_is_refused(
    manage: ManageProxies, storage: FakeStorage
) -> None:
    seen = await manage.add("http://proxy.example:1", ADA)
    moved = await manage.change(seen, ADA, Options(), url="http://other.example:2")

    with pytest.raises(ChangedMeanwhileError, match="address"):
        await manage.set_enabled(seen, ADA, enabled=False)
    with pytest.raises(ChangedMeanwhileError, match="address"):
        await manage.change(seen, ADA, Options(), pool="eu")

    assert await manage.all() == [moved]


async def test_account_that_was_changed_since_it_was_found_keeps_that_and_gets_its_proxy(
    manage: ManageProxies, storage: FakeStorage
) -> None:
    await manage.add("http://proxy.example:1", ADA)
    found = await accounts_in(storage, 2)
    await storage.accounts.remove(2)
    await plant(storage.accounts, replace(found[0], remark="lent"))

    (changed,) = await manage.assign(found, "proxy.example", ADA)

    assert (changed.remark, changed.proxy) == ("lent", "proxy.example")
    assert storage.tables.accounts == {1: changed}
