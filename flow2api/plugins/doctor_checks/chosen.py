"""What operators have chosen: options, proxies, models."""

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


async def look_at_models(examined: Examined) -> Finding:
    """How many models there are."""
    listed = len(examined.backends().catalog.listed())
    if not listed:
        return Finding(CheckState.WARN, "No model can be asked for.", "`flow2api plugins` shows what is loaded.")
    return Finding(CheckState.OK, f"{listed} models can be asked for.")
