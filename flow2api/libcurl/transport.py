"""The way out: which connections a call takes, and what becomes of it when they fail."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import cast

from curl_cffi import CurlECode

from flow2api.domain.apart import apart
from flow2api.domain.errors import UpstreamError
from flow2api.domain.secret import Secret
from flow2api.libcurl.calls import Answer, Call
from flow2api.libcurl.connection_faults import connection_error
from flow2api.libcurl.connections import ConnectionPool, NoAnswerError
from flow2api.libcurl.proxy_faults import proxy_fault, wants_credentials


class CurlTransport:
    """Carries calls over kept connections, a pool of them for each proxy.

    Redirects are never followed, certificates always verified, cookies never kept, and the environment's proxies are not
    used. It belongs to the event loop that first uses it.

    Args:
        user_agent: How we present ourselves.
        max_pools: How many proxies keep their connections; those that were not used for longest lose them.
    """

    def __init__(self, *, user_agent: str, max_pools: int = 64) -> None:
        self._user_agent = user_agent
        self._max_pools = max_pools
        self._pools: OrderedDict[Secret | None, ConnectionPool] = OrderedDict()
        self._closing: set[asyncio.Future[None]] = set()

    async def request(self, call: Call, proxy: Secret | None) -> Answer:
        """The whole answer to a call, whatever its status.

        Raises:
            UpstreamUnavailableError: No connection came about, or it broke.
            ProxyUnavailableError: The proxy did not let the call through.
            UpstreamTimeoutError: No answer came in time.
            UpstreamInvalidError: The answer is too large or broken.
        """
        pool = self._pool(proxy)
        try:
            answer = await pool.collect(call)
        except NoAnswerError as fault:
            raise _error(fault, proxy) from fault
        _refuse_proxys_own(answer, proxy)
        return answer

    @asynccontextmanager
    async def stream(self, call: Call, proxy: Secret | None) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        """The answer without its body, and the body's chunks as they come; a slow reader holds the sender back.

        Raises:
            UpstreamError: As `request`, also while the chunks are read.
        """
        pool = self._pool(proxy)
        try:
            async with aclosing(pool.stream(call)) as items:
                head = await anext(items)
                assert isinstance(head, Answer)  # noqa: S101 - the first item always is
                _refuse_proxys_own(head, proxy)
                yield head, cast("AsyncIterator[bytes]", items)
        except NoAnswerError as fault:
            raise _error(fault, proxy) from fault

    async def aclose(self) -> None:
        """End all calls and connections."""
        pools = list(self._pools.values())
        self._pools.clear()
        for pool in pools:
            await pool.aclose()
        await asyncio.gather(*self._closing)

    def opened_connections(self) -> int:
        """How many connections were opened so far by the pools that are kept."""
        return sum(pool.opened_connections for pool in self._pools.values())

    def _pool(self, proxy: Secret | None) -> ConnectionPool:
        proxy = proxy or None  # an empty one is none
        pool = self._pools.get(proxy)
        if pool is None:
            pool = self._pools[proxy] = ConnectionPool("" if proxy is None else proxy.reveal(), self._user_agent)
            self._forget_oldest()
        self._pools.move_to_end(proxy)
        return pool

    def _forget_oldest(self) -> None:
        surplus = len(self._pools) - self._max_pools
        idle = [name for name, pool in list(self._pools.items())[:-1] if name is not None and pool.is_idle]
        for name in idle[: max(surplus, 0)]:
            closing = apart(self._pools.pop(name).aclose(), name="connections-close")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)


def _error(fault: NoAnswerError, proxy: Secret | None) -> UpstreamError:
    if proxy and not fault.was_sent and fault.code != CurlECode.ABORTED_BY_CALLBACK:
        return proxy_fault(fault.code, str(fault), was_opened=fault.was_opened, proxy=proxy)
    return connection_error(fault.code, str(fault), was_sent=fault.was_sent)


def _refuse_proxys_own(answer: Answer, proxy: Secret | None) -> None:
    if proxy and answer.status == 407:
        raise wants_credentials(proxy)
