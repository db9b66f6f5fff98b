"""What operators have chosen: options, proxies, models."""

from urllib.parse import urlsplit

from flow2api.domain.base_url import is_among, is_loopback
from flow2api.domain.usecases.diagnose import CheckState, Finding
from flow2api.domain.usecases.diagnose_proxies import judge_proxies
from flow2api.hookspecs import Examined


async def look_at_options(examined: Examined) -> Finding:
    """Whether the options that are stored, under those that the settings fix, can be used."""
    found = await examined.options()
    if found.ignored:
        told = " ".join(f"The stored option {name} is ignored: {why}" for name, why in found.ignored.items())
        return Finding(CheckState.FAIL, told, "Set it anew, or `flow2api options reset` it.")
    return Finding(CheckState.OK, f"The options can be used; accounts are chosen by {found.options.policy}.")


async def look_at_proxies(examined: Examined) -> Finding:
    """Whether those who name a proxy or a pool have one that could be used, by what is known of it."""
    found = await examined.options()
    return await judge_proxies(examined.backends().storage, found.options)


async def look_at_base_urls(examined: Examined) -> Finding | None:
    """Whether API keys go to hosts of accounts over plain http; nothing to say where none does."""
    named, unnamed = set[str](), set[str]()
    async for batch in examined.backends().storage.accounts.load():
        for account in batch:
            parts = urlsplit(account.base_url or "")
            host = parts.hostname or ""
            if parts.scheme == "http" and not is_loopback(host):
                (named if is_among(host, examined.plain_http_hosts) else unnamed).add(host)
    if unnamed:
        return Finding(
            CheckState.FAIL,
            f"API keys go over plain http to hosts that `plain_http_hosts` does not name: {', '.join(sorted(unnamed))}.",
            "Move these accounts to https, or name the hosts if the way to them is your own.",
        )
    if named:
        return Finding(
            CheckState.WARN,
            f"API keys go over plain http to {', '.join(sorted(named))}, as `plain_http_hosts` allows.",
            "Put TLS before these hosts unless nobody else is on the way to them.",
        )
    return None


async def look_at_models(examined: Examined) -> Finding:
    """How many models there are."""
    listed = len(examined.backends().catalog.listed())
    if not listed:
        return Finding(CheckState.WARN, "No model can be asked for.", "`flow2api plugins` shows what is loaded.")
    return Finding(CheckState.OK, f"{listed} models can be asked for.")
