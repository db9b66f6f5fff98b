"""Whether everybody who is to use a proxy has one, for the doctor."""

from collections import Counter

from flow2api.domain.options import Options
from flow2api.domain.ports.storage import Storage
from flow2api.domain.proxy import DIRECT, ProxyState, usable
from flow2api.domain.usecases.diagnose import CheckState, Finding

_TEST = "`flow2api proxies test` tells what is wrong with each."


async def judge_proxies(storage: Storage, options: Options) -> Finding:
    """What is to be said of the proxies as storage has them; none of them is called."""
    known = await storage.proxies.all()
    wanted: Counter[str] = Counter(
        [account.proxy async for batch in storage.accounts.load() for account in batch if account.proxy]
    )
    needs = [(f"{count} accounts", name) for name, count in wanted.items()]
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
        return Finding(CheckState.WARN, f"{len(down)} of {len(known)} proxies are down: {', '.join(down[:5])}.", _TEST)
    fallback = " Accounts without one go direct." if options.proxy_direct_fallback else ""
    return Finding(CheckState.OK, f"{len(known)} proxies, none of them known to be down.{fallback}")
