"""What operators do to proxies."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches

from flow2api.domain.account import Account
from flow2api.domain.audit import Actor, AuditAction, AuditEntry, differences
from flow2api.domain.errors import ConflictError, Flow2ApiError, NotKnownError, UnsupportedInputError
from flow2api.domain.options import Options
from flow2api.domain.ports.proxies import Proxies
from flow2api.domain.ports.storage import Accounts, Changed
from flow2api.domain.ports.system import Clock
from flow2api.domain.proxy import DIRECT, GLOBAL, Proxy, ProxyHealth, check_name, read_proxy_url
from flow2api.domain.quantity import counted
from flow2api.domain.secret import Secret


class ManageProxies:
    """Adds, changes and removes proxies, and gives them to accounts; running servers follow at once."""

    def __init__(self, proxies: Proxies, accounts: Accounts, clock: Clock) -> None:
        self._proxies = proxies
        self._accounts = accounts
        self._clock = clock

    async def all(self) -> Sequence[Proxy]:
        """Every proxy, in the order of names."""
        return await self._proxies.all()

    async def find(self, names: Collection[str]) -> list[Proxy]:
        """The proxies of these names, and all of the pools of these names; every one when none is named.

        Raises:
            ConflictError: There is no proxy and no pool of a name.
        """
        known = await self.all()
        for name in names:
            _check_known(name, known)
        return [one for one in known if not names or one.name in names or one.pool in names]

    async def add(self, url: str, actor: Actor, *, name: str | None = None, pool: str | None = None) -> Proxy:
        """Store one proxy. Without a name it gets one that its address suggests.

        Raises:
            UnsupportedInputError: Its URL or a name cannot be used.
            ConflictError: A proxy or a pool has this name, or a proxy has this URL.
        """
        return await self._add(url, actor, name, pool, _Known(await self.all()))

    async def add_each(
        self, urls: Iterable[str], actor: Actor, *, name: str | None = None, pool: str | None = None
    ) -> AsyncIterator[Proxy | Flow2ApiError]:
        """Store proxies one by one; in place of one that cannot be stored comes the reason, and the others go on."""
        known = _Known(await self.all())
        for url in urls:
            try:
                yield await self._add(url, actor, name, pool, known)
            except (UnsupportedInputError, ConflictError) as error:
                yield error

    async def find_or_add(self, url: Secret, address: str, actor: Actor) -> tuple[Proxy, bool]:
        """The proxy with this URL, stored if there is none, and whether it is new.

        Args:
            url: As `read_proxy_url` gives it, with the address.
        """
        proxies = await self.all()
        found = next((one for one in proxies if one.url == url), None)
        if found is not None:
            return found, False
        return await self._store(url, address, actor, None, None, _Known(proxies)), True

    async def _add(self, url: str, actor: Actor, name: str | None, pool: str | None, known: "_Known") -> Proxy:
        secret, address = read_proxy_url(url)
        known.refuse_twin(secret)
        return await self._store(secret, address, actor, name, pool, known)

    async def _store(
        self, secret: Secret, address: str, actor: Actor, name: str | None, pool: str | None, known: "_Known"
    ) -> Proxy:
        name = known.free_name(address) if name is None else name
        known.check_names(name, pool)
        proxy = Proxy(id=0, name=name, url=secret, address=address, pool=pool, created_at=self._clock.now())
        entry = self._entry(actor, AuditAction.PROXY_ADDED, name, {"address": address, "pool": pool})
        added = await self._proxies.add(proxy, entry)
        known.take(added)
        return added

    async def change(
        self,
        proxy: Proxy,
        actor: Actor,
        options: Options,
        *,
        url: str | None = None,
        pool: str | None = None,
        is_forced: bool = False,
    ) -> Proxy:
        """Let a proxy be somewhere else, have other credentials or belong to another pool; accounts stay with it.

        Args:
            url: None leaves it. With another one nothing is known of its health any more.
            pool: None leaves it; an empty one takes the proxy out of its pool.
            is_forced: Take the last one out of a pool although that is needed: who names it reaches nothing any more.

        Raises:
            UnsupportedInputError: Its URL or the pool's name cannot be used.
            ConflictError: Another proxy has this URL or the pool's name, or the pool that it leaves is needed.
            ChangedMeanwhileError: Somebody else has changed it meanwhile; nothing was changed here.
        """
        others = _Known(one for one in await self.all() if one.id != proxy.id)
        changed = proxy
        if pool is not None:
            changed = replace(changed, pool=pool or None)
            others.check_names(changed.name, changed.pool)
        if url is not None:
            secret, address = read_proxy_url(url)
            others.refuse_twin(secret)
            if secret != proxy.url:
                changed = replace(changed, url=secret, address=address, health=ProxyHealth())
        if changed == proxy:
            return proxy
        left = {proxy.pool} - {None, changed.pool, *others.pools}
        if left and not is_forced:
            await self._refuse_needed(proxy, left, options)
        await self._proxies.save(
            changed, self._entry(actor, AuditAction.PROXY_CHANGED, proxy.name, _told(proxy, changed)), former=proxy
        )
        if changed.url != proxy.url:
            await self._proxies.note_health({proxy.id: changed.health})
        return changed

    async def named(self, name: str) -> Proxy:
        """The proxy of this name, which is not that of a pool.

        Raises:
            NotKnownError: There is none.
        """
        known = await self.all()
        found = next((one for one in known if one.name == name), None)
        if found is not None:
            return found
        if any(one.pool == name for one in known):
            raise NotKnownError(f"{name!r} is a pool; name one of its proxies.")
        near = get_close_matches(name, [one.name for one in known], n=1)
        raise NotKnownError(f"There is no proxy {name[:64]!r}.{f' Did you mean {near[0]!r}?' if near else ''}")

    async def set_enabled(self, proxy: Proxy, actor: Actor, *, enabled: bool) -> Proxy:
        """Let a proxy be used, or not any more.

        Raises:
            ChangedMeanwhileError: Somebody else has changed it meanwhile; nothing was changed here.
        """
        if proxy.is_enabled is enabled:
            return proxy
        changed = replace(proxy, is_enabled=enabled)
        details = differences({"is_enabled": proxy.is_enabled}, {"is_enabled": enabled})
        entry = self._entry(actor, AuditAction.PROXY_CHANGED, proxy.name, details)
        await self._proxies.save(changed, entry, former=proxy)
        return changed

    async def remove(self, proxy: Proxy, actor: Actor, options: Options, *, is_forced: bool = False) -> None:
        """Forget a proxy.

        Args:
            is_forced: Remove it although it is needed: those who name it reach nothing any more.

        Raises:
            ConflictError: An option or an account names it, or its pool, of which it is the last one.
        """
        gone = {proxy.name}
        if proxy.pool is not None and sum(one.pool == proxy.pool for one in await self.all()) == 1:
            gone.add(proxy.pool)
        if not is_forced:
            await self._refuse_needed(proxy, gone, options)
        entry = self._entry(actor, AuditAction.PROXY_REMOVED, proxy.name, {"address": proxy.address})
        await self._proxies.remove(proxy.id, entry)

    async def meant_by(self, name: str) -> str | None:
        """What an account notes that is to use a proxy, a pool, none (``direct``) or what the option says (``global``).

        Raises:
            ConflictError: There is no proxy and no pool of this name.
        """
        if name not in (DIRECT, GLOBAL):
            _check_known(name, await self.all())
        return None if name == GLOBAL else name

    async def assign(self, accounts: Sequence[Account], name: str, actor: Actor) -> list[Account]:
        """Let accounts use a proxy, a pool, none (``direct``) or what the option ``proxy`` says (``global``).

        Returns:
            The accounts that were changed.

        Raises:
            ConflictError: There is no proxy and no pool of this name; nothing was changed.
        """
        wanted = await self.meant_by(name)

        def entry(changed: Changed) -> AuditEntry:
            details = differences({"proxy": changed.before.proxy}, {"proxy": changed.after.proxy})
            return self._entry(actor, AuditAction.PROXY_ASSIGNED, str(changed.before.id), details)

        found = [
            await self._accounts.change(account.id, lambda one: replace(one, proxy=wanted), entry)
            for account in accounts
            if account.proxy != wanted
        ]
        return [changed.after for changed in found if changed is not None and changed.after != changed.before]

    async def _refuse_needed(self, proxy: Proxy, gone: Collection[str | None], options: Options) -> None:
        for option, named in (("proxy", options.proxy), ("media_proxy", options.media_proxy)):
            if named in gone:
                raise ConflictError(f"The option {option} names {named!r}; change it first.")
        using = [one.id async for batch in self._accounts.load() for one in batch if one.proxy in gone]
        if using:
            shown = ", ".join(str(number) for number in using[:5]) + (", ..." if len(using) > 5 else "")
            raise ConflictError(
                f"{proxy.name!r} is the only way for {counted(len(using), 'account')} ({shown}), which would reach nothing any more; "
                "assign them another one first."
            )

    def _entry(self, actor: Actor, action: AuditAction, subject: str, details: dict[str, object]) -> AuditEntry:
        return AuditEntry(at=self._clock.now(), actor=actor, action=action, subject=subject, details=details)


def _told(before: Proxy, after: Proxy) -> dict[str, object]:
    """The details of a change; of credentials only that there are new ones."""
    details = differences(
        {"address": before.address, "pool": before.pool}, {"address": after.address, "pool": after.pool}
    )
    if before.url != after.url and before.address == after.address:
        details["after"]["credentials"] = "new"
    return details


def _check_known(name: str, known: Sequence[Proxy]) -> None:
    names = {one.name for one in known} | {one.pool for one in known if one.pool is not None}
    if name not in names:
        near = get_close_matches(name, sorted(names), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else " `flow2api proxies list` shows those that there are."
        raise ConflictError(f"There is no proxy and no pool {name[:64]!r}.{hint}")


class _Known:
    """The proxies that there are, so that thousands can be added without looking at each of them each time."""

    def __init__(self, proxies: Iterable[Proxy]) -> None:
        self._by_url: dict[Secret, str] = {}
        self._names: set[str] = set()
        self.pools: set[str | None] = set()
        for proxy in proxies:
            self.take(proxy)

    def take(self, proxy: Proxy) -> None:
        """There is one more."""
        self._by_url[proxy.url] = proxy.name
        self._names.add(proxy.name)
        if proxy.pool is not None:
            self.pools.add(proxy.pool)

    def refuse_twin(self, url: Secret) -> None:
        """Refuse what is there already."""
        twin = self._by_url.get(url)
        if twin is not None:
            raise ConflictError(f"The proxy {twin!r} has this address and these credentials already.")

    def check_names(self, name: str, pool: str | None) -> None:
        """Refuse names that cannot be, and those that would stand for two things."""
        check_name(name, "name")
        if pool is not None:
            check_name(pool, "pool")
        if name in self._names:
            raise ConflictError(f"A proxy named {name!r} exists already. Choose another name.")
        if name in self.pools or name == pool:
            raise ConflictError(f"A pool is called {name!r}; a proxy needs another name.")
        if pool in self._names:
            raise ConflictError(f"A proxy is called {pool!r}; a pool needs another name.")

    def free_name(self, address: str) -> str:
        """The host of the address, with a number behind it when that is taken."""
        host = address.partition("://")[2].rpartition(":")[0].strip("[]").replace(":", "-").strip("._-")[:56] or "proxy"
        number, name = 1, host
        while name in self._names or name in self.pools or name in (DIRECT, GLOBAL):
            number += 1
            name = f"{host}-{number}"
        return name
