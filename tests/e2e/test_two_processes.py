"""Two servers on one database that share slots, limits and events by a coordination of somebody else's."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from flow2api.testing.simulator import SimulatorControl
from tests import shared_file
from tests.e2e.conftest import ACCOUNTS, OPTIONS
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_admin_api import PASSPHRASE, session

LIMIT = 4
WOKEN_WITHIN_S = 0.5
"""Half of the second after which each looks by itself: many that are all sooner were woken."""


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("simulator"), {**OPTIONS, "era": "2026-06"}, ACCOUNTS[:1]) as running:
        yield running


@pytest.fixture(scope="module")
def meeting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder by which the processes reach each other."""
    return tmp_path_factory.mktemp("meeting")


@pytest.fixture(scope="module")
def gateways(
    simulator: Simulator, meeting: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Gateway, Gateway]]:
    plugins = tmp_path_factory.mktemp("plugins")
    shutil.copy(shared_file.__file__, plugins / "theirs.py")
    plugins.chmod(0o700)
    (plugins / "theirs.py").chmod(0o600)
    environment = {
        "FLOW2API_PLUGINS_DIR": str(plugins),
        "FLOW2API_PLUGINS": "theirs",
        "FLOW2API_COORDINATION_URL": f"shared-file:{meeting / 'meeting.db'}",
        "FLOW2API_OPTIONS__REQUESTS_PER_MIN": str(LIMIT),
        "FLOW2API_OPTIONS__WAITING_LIMIT": "0",
    }
    with Gateway(tmp_path_factory.mktemp("one"), simulator, environment=environment, image_slots=1) as one:
        passphrase = one.folder / "passphrase"
        passphrase.write_text(PASSPHRASE)
        one.run("operator", "create", "--name", "ada", "--passphrase-file", str(passphrase))
        shared = {**environment, "FLOW2API_DATA_DIR": str(one.folder / "data")}
        other = Gateway(tmp_path_factory.mktemp("other"), simulator, environment=shared)
        other.start()
        try:
            other.wait_until_ready()
            yield one, other
        finally:
            other.stop()


@pytest.fixture
async def control(simulator: Simulator) -> AsyncIterator[SimulatorControl]:
    async with SimulatorControl(simulator.ready["base_url"]) as control:
        yield control
        await control.clear_faults()


@pytest.fixture
def key(gateways: tuple[Gateway, Gateway], request: pytest.FixtureRequest) -> str:
    """One that has asked for nothing yet."""
    return gateways[0].make_key(request.node.name)


async def paint(gateway: Gateway, key: str, repeat_of: str | None = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {key}"} | ({} if repeat_of is None else {"idempotency-key": repeat_of})
    async with httpx.AsyncClient(base_url=gateway.url, timeout=30, headers=headers) as client:
        return await client.post("/v1/images/generations", json={"model": "gpt-image-1", "prompt": "a mug"})


async def test_key_has_its_limit_once_and_not_in_each(gateways: tuple[Gateway, Gateway], key: str) -> None:
    one, other = gateways
    for number in range(LIMIT):
        answer = await paint(gateways[number % 2], key)
        assert answer.status_code == 200, answer.text

    refused = [await paint(one, key), await paint(other, key)]

    assert [answer.status_code for answer in refused] == [429, 429]
    assert [answer.json()["error"]["code"] for answer in refused] == ["rate_limit_exceeded"] * 2
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
    assert (await paint(other, one.make_key("another"))).status_code == 200


async def test_slot_is_held_in_both(gateways: tuple[Gateway, Gateway], key: str, control: SimulatorControl) -> None:
    one, other = gateways
    await control.add_fault("latency", call="generate_images", latency_s=0.7)
    slow = asyncio.create_task(paint(one, key))
    await asyncio.sleep(0.35)

    beside = await paint(other, key)

    assert (await slow).status_code == 200
    assert (beside.status_code, beside.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert "busy" in beside.json()["error"]["message"]


async def test_what_one_refuses_can_be_made_in_the_other_on_the_same_day(
    gateways: tuple[Gateway, Gateway], key: str, control: SimulatorControl
) -> None:
    one, other = gateways
    limits = ("--requests-per-min", "0", "--max-per-day", "1")
    one_a_day = one.run("keys", "create", "--name", "one a day", *limits).strip()
    await control.add_fault("latency", call="generate_images", latency_s=0.7)
    slow = asyncio.create_task(paint(one, key))
    await asyncio.sleep(0.35)
    refused = await paint(other, one_a_day)
    assert (await slow).status_code == 200
    assert (refused.status_code, "busy" in refused.text) == (429, True)

    async with asyncio.timeout(10):
        while (await paint(one, one_a_day)).status_code != 200:
            await asyncio.sleep(0.02)

    beyond = await paint(other, one_a_day)
    assert (beyond.status_code, "1 result made a day" in beyond.text) == (429, True), beyond.text


async def test_who_waits_in_the_other_hears_of_the_end(
    gateways: tuple[Gateway, Gateway], key: str, control: SimulatorControl
) -> None:
    one, other = gateways

    async def told_later(number: int) -> float:
        """Seconds between the answers of the one that works and of the other that waits."""
        ends: dict[Gateway, float] = {}

        async def ended(gateway: Gateway) -> None:
            answer = await paint(gateway, key, f"once {number}")
            assert answer.status_code == 200, answer.text
            ends[gateway] = time.monotonic()

        await control.add_fault("latency", call="generate_images", latency_s=0.3)
        working = asyncio.create_task(ended(one))
        await asyncio.sleep(0.15)
        await asyncio.gather(working, ended(other))
        return ends[other] - ends[one]

    assert max([await told_later(number) for number in range(LIMIT // 2)]) < WOKEN_WITHIN_S


async def test_what_one_changes_the_other_knows_at_once(gateways: tuple[Gateway, Gateway]) -> None:
    one, other = gateways
    waits = []
    async with session(one) as here, httpx.AsyncClient(base_url=other.url) as there:
        before = await shown_keys(there)
        for is_told in (False, True) * 3:
            answer = await here.patch("/api/admin/options", json={"health_counts": is_told})
            assert answer.status_code == 200, answer.text
            changed_at = time.monotonic()
            while (await shown_keys(there) == before) is not is_told:
                await asyncio.sleep(0.01)
            waits.append(time.monotonic() - changed_at)

    assert max(waits) < WOKEN_WITHIN_S


async def shown_keys(client: httpx.AsyncClient) -> set[str]:
    """What ``/health`` tells, which memory decides."""
    return set((await client.get("/health")).json())


async def test_nothing_is_begun_while_they_cannot_agree(
    gateways: tuple[Gateway, Gateway], meeting: Path, key: str
) -> None:
    away = meeting.rename(meeting.with_name("away"))
    try:
        began = time.monotonic()
        answers = [await paint(gateway, key) for gateway in (*gateways, *gateways)]
        took_s = time.monotonic() - began
        health = httpx.get(f"{gateways[0].url}/readyz")
        doctor = gateways[0].ran("doctor")
    finally:
        away.rename(meeting)

    assert [answer.status_code for answer in answers] == [503] * 4
    assert {answer.json()["error"]["code"] for answer in answers} == {"coordination_unavailable"}
    assert {answer.headers["retry-after"] for answer in answers} == {"5"}
    assert took_s < 5
    assert health.status_code == 200
    assert (doctor.code, doctor.err.count("Traceback")) == (1, 0), doctor.err
    assert "What processes share slots and limits by does not answer" in doctor.out
    await asyncio.sleep(1.0)
    assert (await paint(gateways[1], key)).status_code == 200


def test_doctor_looks_at_it(gateways: tuple[Gateway, Gateway]) -> None:
    assert "Slots and limits can be shared with other processes." in gateways[0].run("doctor")
