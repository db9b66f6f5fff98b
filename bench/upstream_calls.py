"""What one call of the Flow adapter costs, beside the same call made with curl_cffi's own session.

    python bench/upstream_calls.py [--calls 4000] [--at-once 16]

Both go to the simulator, a process of its own, in turns. Printed are CPU milliseconds of this process per call and how
many connections were opened. ``credits`` reads a small answer; ``picture`` makes one and takes the address from the
answer; ``download`` streams its bytes; ``poll`` asks for 20 videos at once.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import uvloop
from curl_cffi import CurlHttpVersion
from curl_cffi.requests import AsyncSession

from flow2api.adapters.flow.client import FlowUpstream
from flow2api.adapters.system.clock import SystemClock
from flow2api.domain.account import Credentials, Tier
from flow2api.domain.catalog import AspectRatio, Mode, ModelSpec, Size
from flow2api.domain.generation import Order
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.upstream import Access
from flow2api.domain.secret import Secret
from flow2api.testing.simulator import SimulatorProcess

ROUNDS = 4
Work = Callable[[], Awaitable[object]]


def model(kind: MediaKind, key: str, aspect: str, mode: str) -> ModelSpec:
    wire = {"keys": {"2026-06": key}, "aspect": aspect, "mode": mode}
    ratio, size = AspectRatio(16, 9), Size(1376, 768)
    return ModelSpec(
        name=key, upstream="flow", kind=kind, mode=Mode.TEXT, line="", aspect_ratio=ratio, size=size, wire=wire
    )


PICTURE = Order(
    spec=model(MediaKind.IMAGE, "GEM_PIX_2", "IMAGE_ASPECT_RATIO_LANDSCAPE", "t2i"), prompt="a red mug on a table"
)
VIDEO = Order(spec=model(MediaKind.VIDEO, "veo_3_1_t2v_fast", "VIDEO_ASPECT_RATIO_LANDSCAPE", "t2v"), prompt="a cat")


async def cpu_ms(work: Work, calls: int, at_once: int) -> float:
    """CPU milliseconds of this process per call."""

    async def worker(share: int) -> None:
        for _ in range(share):
            await work()

    await worker(at_once)
    before = time.process_time()
    await asyncio.gather(*(worker(calls // at_once) for _ in range(at_once)))
    return (time.process_time() - before) * 1000 / (calls // at_once * at_once)


async def compare(name: str, ours: Work, bare: Work, calls: int, at_once: int) -> None:
    """Prints one row: the least of several rounds each, taken in turns."""
    figures: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(ROUNDS):
        figures["bare"].append(await cpu_ms(bare, calls // ROUNDS, at_once))
        figures["ours"].append(await cpu_ms(ours, calls // ROUNDS, at_once))
    least_ours, least_bare = min(figures["ours"]), min(figures["bare"])
    print(f"{name:10} adapter {least_ours:6.3f}   bare {least_bare:6.3f} CPU-ms   ratio {least_ours / least_bare:.2f}")


async def main(calls: int, at_once: int) -> None:
    async with SimulatorProcess(accounts=1, record_limit=100) as simulator:
        player = (await simulator.control.accounts())[0]
        await simulator.control.patch_account(player.id, credits=1_000_000)
        flow = FlowUpstream(SystemClock(), labs_base_url=simulator.labs_base_url, api_base_url=simulator.api_base_url)
        exchanged = await flow.exchange(Credentials(Secret(player.session_token)), None)
        bearer = exchanged.credentials.access_token
        assert bearer is not None
        session_token = exchanged.credentials.session_token
        access = Access(account_id=1, session_token=session_token, access_token=bearer, tier=Tier.PRO)
        project = await flow.open_workspace(access, "bench")
        access = Access(
            account_id=1, session_token=session_token, access_token=bearer, tier=Tier.PRO, workspace=project
        )
        product = (await flow.produce(access, PICTURE))[0]
        operations = [(await flow.submit(access, VIDEO))[0] for _ in range(20)]

        session: AsyncSession[Any] = AsyncSession(
            max_clients=at_once, http_version=CurlHttpVersion.V1_1, trust_env=False
        )
        headers = {"Authorization": f"Bearer {bearer.reveal()}", "Content-Type": "application/json"}
        recorded = await simulator.control.requests(call="generate_images")
        picture_body = msgspec.json.encode(recorded[-1].body)
        poll_body = msgspec.json.encode({"media": [{"name": each.name, "projectId": project} for each in operations]})
        picture_url = f"{simulator.api_base_url}/projects/{project}/flowMedia:batchGenerateImages"
        poll_url = f"{simulator.api_base_url}/video:batchCheckAsyncVideoGenerationStatus"

        async def bare(url: str, body: bytes | None = None) -> None:
            answer = await session.request("GET" if body is None else "POST", url, headers=headers, data=body)
            assert answer.status_code == 200
            msgspec.json.decode(answer.content)

        async def bare_download() -> None:
            answer = await session.get(product.url or "", stream=True)
            async for _ in answer.aiter_content():
                pass
            await answer.aclose()

        async def download() -> None:
            async for _ in flow.fetch(access, product):
                pass

        await compare(
            "credits",
            lambda: flow.allowance(access),
            lambda: bare(f"{simulator.api_base_url}/credits"),
            calls,
            at_once,
        )
        await compare(
            "picture", lambda: flow.produce(access, PICTURE), lambda: bare(picture_url, picture_body), calls, at_once
        )
        await compare("download", download, bare_download, calls, at_once)
        await compare(
            "poll of 20", lambda: flow.poll(access, operations), lambda: bare(poll_url, poll_body), calls, at_once
        )
        print(f"connections opened by the adapter: {flow.opened_connections}")
        await session.close()
        await flow.aclose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--calls", type=int, default=4000)
    parser.add_argument("--at-once", type=int, default=16)
    arguments = parser.parse_args()
    uvloop.run(main(arguments.calls, arguments.at_once))
