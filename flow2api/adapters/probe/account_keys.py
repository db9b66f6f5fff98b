"""Whether the hosts of accounts with API keys answer, and whether they take the keys: by calls that cost nothing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from flow2api.adapters.probe.reachability import answers_at
from flow2api.domain.account import Account, Credentials, RestReason
from flow2api.domain.errors import CredentialError, Flow2ApiError
from flow2api.domain.ports.storage import CredentialVault, Storage
from flow2api.domain.ports.upstream import SignsIn
from flow2api.domain.proxy import DIRECT
from flow2api.domain.quantity import counted
from flow2api.domain.secret import Secret
from flow2api.domain.usecases.diagnose import CheckState, Finding

MOST = 20
"""Hosts, and keys, that one check asks about: with the limits below that ends well within its minute."""

_AT_ONCE = 5
_HOST_S = 5.0
_KEY_S = 10.0
_NAMED = 5
_DIRECT_WAY = Secret("")

T = TypeVar("T")
R = TypeVar("R")


async def accounts_that_go_direct(storage: Storage, upstream: str, proxy: str) -> Sequence[Account] | None:
    """The accounts of an upstream that use no proxy; None when it has no accounts at all.

    Args:
        proxy: What the option ``proxy`` says, for accounts that name none themselves.
    """
    found = [one async for part in storage.accounts.load() for one in part if one.upstream == upstream]
    return [one for one in found if (one.proxy or proxy or DIRECT) == DIRECT] if found else None


async def look_at_hosts(addresses: Iterable[str]) -> Finding | None:
    """Whether somebody answers at each of these addresses; no key is sent. None when there are none."""
    hosts = sorted(set(addresses))
    if not hosts:
        return None
    silent = {host: why for host, why in (await _each(hosts[:MOST], _silence)).items() if why is not None}
    asked = (
        f"{counted(len(hosts[:MOST]), 'host')} of {len(hosts):,}" if len(hosts) > MOST else counted(len(hosts), "host")
    )
    if not silent:
        return Finding(CheckState.OK, f"Asked {asked}: {_listed(hosts)}; all of them answer.")
    state = CheckState.FAIL if len(silent) == len(hosts) else CheckState.WARN
    why = " ".join(list(silent.values())[:_NAMED])
    cure = "See whether the host is up and the address is right; `flow2api accounts list` shows whose it is."
    return Finding(state, f"Asked {asked}; {len(silent)} did not answer. {why}", cure)


async def look_at_account_keys(
    upstream: SignsIn, accounts: Sequence[Account], vault: CredentialVault
) -> Finding | None:
    """Whether the keys of these accounts are taken where they are served; None when there are none to try.

    A key that was refused already is not shown again, and an operator who has switched an account off is not gone behind.
    """
    left_out = {RestReason.AUTH_EXPIRED, RestReason.MANUAL}
    wanted = [one for one in accounts if not any(rest.reason in left_out for rest in one.rests)]
    dead = [one for one in accounts if one.rest_of(RestReason.AUTH_EXPIRED) is not None]

    async def refused(account: Account) -> bool | None:
        return await _is_refused(upstream, account, await vault.read(account.id))

    told = await _each(wanted[:MOST], refused) if wanted else {}
    dead += [account for account, is_refused in told.items() if is_refused]
    untold = sum(is_refused is None for is_refused in told.values())
    if not dead and not told:
        return None
    sentence = f"Tried {counted(len(told), 'key')}; {sum(one is False for one in told.values())} accepted."
    if untold:
        sentence += f" Of {untold} the host did not tell."
    if not dead:
        return Finding(CheckState.WARN if untold else CheckState.OK, sentence, "Try again later." if untold else "")
    named = _listed([f"{one.id} ({one.name})" if one.name else str(one.id) for one in dead])
    return Finding(
        CheckState.WARN,
        f"{sentence} The key is refused of {counted(len(dead), 'account')}: {named}.",
        "Give each another key: `flow2api accounts update WHICH --api-key-file FILE`.",
    )


async def _silence(host: str) -> str | None:
    """Why nobody answers there; None when somebody does."""
    try:
        await answers_at(host, timeout_s=_HOST_S)
    except Flow2ApiError as error:
        return error.message
    return None


async def _is_refused(upstream: SignsIn, account: Account, kept: Credentials | None) -> bool | None:
    """Whether the key is refused; None when that was not told."""
    if kept is None:
        return None
    shown = Credentials(kept.session_token, base_url=account.base_url)
    try:
        async with asyncio.timeout(_KEY_S):
            await upstream.exchange(shown, _DIRECT_WAY)
    except CredentialError:
        return True
    except (Flow2ApiError, TimeoutError):
        return None
    return False


async def _each(asked: Sequence[T], ask: Callable[[T], Awaitable[R]]) -> Mapping[T, R]:
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def answer(one: T) -> R:
        async with at_once:
            return await ask(one)

    return dict(zip(asked, await asyncio.gather(*(answer(one) for one in asked)), strict=True))


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    return shown if len(names) <= _NAMED else f"{shown} and {len(names) - _NAMED} more"
