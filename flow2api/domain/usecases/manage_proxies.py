"""What operators do to proxies."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from difflib import get_close_matches

from flow2api.domain.account import Account
from flow2api.domain.audit import Actor, AuditAction, AuditEntry, differences
from flow2api.domain.errors import ConflictError, NotKnownError, UnsupportedInputError
from flow2api.domain.options import Options
from flow2api.domain.ports.proxies import Proxies
from flow2api.domain.ports.storage import Accounts
from flow2api.domain.ports.system import Clock
from flow2api.domain.proxy import DIRECT, GLOBAL, Proxy, check_name, read_proxy_url


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
        secret, address = read_proxy_url(url)
        known = await self.all()
        twin = next((one for one in known if one.url == secret), None)
        if twin is not None:
            raise ConflictError(f"The proxy {twin.name!r} has this address and these credentials already.")
        name = _free_name(address, known) if name is None else name
        _check_names(name, pool, known)
        proxy = Proxy(id=0, name=name, url=secret, address=address, pool=pool, created_at=self._clock.now())
        entry = self._entry(actor, AuditAction.PROXY_ADDED, name, {"address": address, "pool": pool})
        return await self._proxies.add(proxy, entry)

    async def add_all(
        self, urls: Sequence[tuple[int, str]], actor: Actor, *, name: str | None = None, pool: str | None = None
    ) -> tuple[list[Proxy], list[tuple[int, str]]]:
        """Store proxies by lines; one that cannot be used does not stop the others.

        Args:
            urls: Each with the number of its line.
            name: What to call it, if there is only one.

        Returns:
            Those that were stored, and the lines that were refused, each with a sentence that holds no address.
        """
        added, refused = [], []
        for number, url in urls:
            try:
                added.append(await self.add(url, actor, name=name, pool=pool))
            except (UnsupportedInputError, ConflictError) as error:
                refused.append((number, error.message))
        return added, refused

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

    async def check_usable(self, name: str) -> None:
        """Refuse what an account cannot be told to use.

        Raises:
            ConflictError: It is neither the name of a proxy or pool, nor ``direct``, nor ``global``.
        """
        if name not in (DIRECT, GLOBAL):
            _check_known(name, await self.all())

    async def set_enabled(self, proxy: Proxy, actor: Actor, *, enabled: bool) -> Proxy:
        """Let a proxy be used, or not any more."""
        if proxy.is_enabled is enabled:
            return proxy
        changed = replace(proxy, is_enabled=enabled)
        details = differences({"is_enabled": proxy.is_enabled}, {"is_enabled": enabled})
        await self._proxies.save(changed, self._entry(actor, AuditAction.PROXY_CHANGED, proxy.name, details))
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

    async def assign(self, accounts: Sequence[Account], name: str, actor: Actor) -> list[Account]:
        """Let accounts use a proxy, a pool, none (``direct``) or what the option ``proxy`` says (``global``).

        Returns:
            The accounts that were changed.

        Raises:
            ConflictError: There is no proxy and no pool of this name; nothing was changed.
        """
        await self.check_usable(name)
        wanted = None if name == GLOBAL else name
        changed = [replace(account, proxy=wanted) for account in accounts if account.proxy != wanted]
        before = {account.id: account.proxy for account in accounts}
        for account in changed:
            details = differences({"proxy": before[account.id]}, {"proxy": wanted})
            await self._accounts.save(account, self._entry(actor, AuditAction.PROXY_ASSIGNED, str(account.id), details))
        return changed

    async def _refuse_needed(self, proxy: Proxy, gone: Collection[str], options: Options) -> None:
        for option, named in (("proxy", options.proxy), ("media_proxy", options.media_proxy)):
            if named in gone:
                raise ConflictError(f"The option {option} names {named!r}; change it first.")
        using = [one.id async for batch in self._accounts.load() for one in batch if one.proxy in gone]
        if using:
            shown = ", ".join(str(number) for number in using[:5]) + (", ..." if len(using) > 5 else "")
            raise ConflictError(
                f"{proxy.name!r} is the only way for {len(using)} accounts ({shown}), which would reach nothing any more; "
                "assign them another one first."
            )

    def _entry(self, actor: Actor, action: AuditAction, subject: str, details: dict[str, object]) -> AuditEntry:
        return AuditEntry(at=self._clock.now(), actor=actor, action=action, subject=subject, details=details)


def _check_known(name: str, known: Sequence[Proxy]) -> None:
    names = {one.name for one in known} | {one.pool for one in known if one.pool is not None}
    if name not in names:
        near = get_close_matches(name, sorted(names), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else " `flow2api proxies list` shows those that there are."
        raise ConflictError(f"There is no proxy and no pool {name[:64]!r}.{hint}")


def _check_names(name: str, pool: str | None, known: Sequence[Proxy]) -> None:
    check_name(name, "name")
    if pool is not None:
        check_name(pool, "pool")
    if any(one.name == name for one in known):
        raise ConflictError(f"A proxy named {name!r} exists already. Choose another name.")
    if any(one.pool == name for one in known) or name == pool:
        raise ConflictError(f"A pool is called {name!r}; a proxy needs another name.")
    if any(one.name == pool for one in known):
        raise ConflictError(f"A proxy is called {pool!r}; a pool needs another name.")


def _free_name(address: str, known: Sequence[Proxy]) -> str:
    """The host of the address, with a number behind it when that is taken."""
    host = address.partition("://")[2].rpartition(":")[0].strip("[]").replace(":", "-").strip("._-")[:56] or "proxy"
    taken = {one.name for one in known} | {one.pool for one in known}
    number, name = 1, host
    while name in taken or name in (DIRECT, GLOBAL):
        number += 1
        name = f"{host}-{number}"
    return name
