from collections.abc import Sequence

import pytest

from flow2api.domain.account import Account
from flow2api.domain.audit import Actor, AuditAction
from flow2api.domain.errors import ConflictError, NotKnownError, UnsupportedInputError
from flow2api.domain.options import Options
from flow2api.domain.proxy import Proxy
from flow2api.domain.usecases.manage_proxies import ManageProxies
from tests.fakes.clock import FakeClock
from tests.fakes.storage import FakeStorage
from tests.integration.persistence.databases import account_of, credentials_of

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


async def test_bad_line_does_not_stop_the_others(manage: ManageProxies) -> None:
    lines = [(1, "http://eve:canary@p:1"), (3, "gopher://eve:canary@p:2"), (4, "http://eve:canary@p:1")]
    added, refused = await manage.add_all(lines, ADA, pool="eu")

    assert [(one.name, one.pool) for one in added] == [("p", "eu")]
    assert [number for number, _ in refused] == [3, 4]
    assert "canary" not in repr(refused)


async def test_one_proxy_is_found_by_its_own_name_only(manage: ManageProxies) -> None:
    proxy = await manage.add("http://p:1", ADA, name="frankfurt", pool="eu")

    assert await manage.named("frankfurt") == proxy
    for name, message in (("eu", "is a pool"), ("frankfrt", "Did you mean 'frankfurt'"), ("x", "no proxy 'x'.$")):
        with pytest.raises(NotKnownError, match=message):
            await manage.named(name)


async def test_account_may_be_told_to_use_what_there_is(manage: ManageProxies) -> None:
    await manage.add("http://p:1", ADA, name="frankfurt", pool="eu")

    for name in ("frankfurt", "eu", "direct", "global"):
        await manage.check_usable(name)
    with pytest.raises(ConflictError):
        await manage.check_usable("us")
