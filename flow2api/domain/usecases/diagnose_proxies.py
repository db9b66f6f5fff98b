"""Whether everybody who is to use a proxy has one, for the doctor."""

from collections import Counter

from flow2api.domain.account import Account
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import Storage
from flow2api.domain.proxy import DIRECT, ProxyState, usable
from flow2api.domain.quantity import counted
from flow2api.domain.usecases.diagnose import CheckState, Finding

_TEST = "`flow2api proxies test` tells what is wrong with each."


async def judge_proxies(storage: Storage, options: Options) -> Finding:
    """What is to be said of the proxies as storage has them; none of them is called."""
    known = await storage.proxies.all()
    wanted: Counter[str] = Counter(
        [account.proxy async for batch in storage.accounts.load() for account in batch if account.proxy]
    )
    needs = [(counted(count, "account"), name) for name, count in wanted.items()]
    needs += [("the option proxy", options.proxy), ("the option media_proxy", options.media_proxy)]
    for who, name in needs:
        members = [one for one in known if name in (one.name, one.pool)]
        if not name or name == DIRECT:
            continue
        if not members:
            return Finding(
                CheckState.FAIL,
                f"There is no proxy and no pool {name!r}, which {who} should use; nothing is reached that way.",
                "Add it, or `flow2api proxies assign` another one.",
            )
        if not usable(members):
            return Finding(CheckState.FAIL, f"No proxy of {name!r} works, which {who} should use.", _TEST)
    if not known:
        return Finding(CheckState.OK, "There are no proxies; calls go direct.")
    down = [one.name for one in known if one.is_enabled and one.health.state is ProxyState.DOWN]
    if down:
        some = f"{len(down)} of {counted(len(known), 'proxy')} {'is' if len(down) == 1 else 'are'} down"
        return Finding(CheckState.WARN, f"{some}: {', '.join(down[:5])}.", _TEST)
    fallback = " Accounts without one go direct." if options.proxy_direct_fallback else ""
    return Finding(CheckState.OK, f"{counted(len(known), 'proxy')}, none of them known to be down.{fallback}")


async def why_no_way(storage: Storage, options: Options, account: Account) -> str | None:
    """Why nothing is asked of an account although it may rest for no reason; None while there is a way to the service.

    Storage has the health of the proxies, so that this can be told beside the server.
    """
    name = account.proxy or options.proxy
    if not name or name == DIRECT or options.proxy_direct_fallback:
        return None
    members = [one for one in await storage.proxies.all() if name in (one.name, one.pool)]
    if usable(members):
        return None
    return f"No proxy of {name!r} works, which it has to use." if members else f"There is no proxy {name!r} for it."
