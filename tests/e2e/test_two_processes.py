"""Two servers on one database that share slots, limits and events by a coordination of somebody else's."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import httpx
import pytest

from flow2api.testing.simulator import SimulatorControl
from tests import shared_file
from tests.e2e.conftest import ACCOUNTS, OPTIONS
from tests.e2e.processes import Gateway, Simulator
from tests.e2e.test_admin_api import PASSPHRASE, session

PATH, PICTURE = "/v1/images/generations", {"model": "gpt-image-1", "prompt": "a mug"}
LIMIT = 4
WITHIN_S = 30.0
PATIENT = """

import sys

if sys.argv[1:2] == ["serve"]:  # commands read this file in the tests' own process
    from flow2api.domain.usecases import follow_changes, rejoin_generations

    follow_changes.LOOK_EVERY_S = rejoin_generations._LOOK_AGAIN_S = 3600.0
"""
"""So seldom do the processes look by themselves: what one knows of the other it was told."""


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
    (plugins / "theirs.py").write_text(Path(shared_file.__file__).read_text("utf-8") + PATIENT, "utf-8")
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
            until_both_listen(meeting / "meeting.db")
            yield one, other
        finally:
            other.stop()


def until_both_listen(file: Path) -> None:
    """Who begins to listen leaves his name."""
    deadline = time.monotonic() + WITHIN_S
    with closing(sqlite3.connect(file, timeout=WITHIN_S)) as connection:
        while connection.execute("select count(*) from processes").fetchone()[0] < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)


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
        return await client.post(PATH, json=PICTURE)


@asynccontextmanager
async def held(
    gateway: Gateway, key: str, control: SimulatorControl, repeat_of: str | None = None
) -> AsyncIterator[None]:
    """A picture that the service works on until the block ends."""
    before = await asked(control)
    await control.add_fault("latency", call="generate_images", latency_s=60.0)
    making = asyncio.create_task(paint(gateway, key, repeat_of))
    async with asyncio.timeout(WITHIN_S):
        while await asked(control) == before:
            await asyncio.sleep(0.02)
    yield
    await control.clear_faults()
    assert (await making).status_code == 200


async def asked(control: SimulatorControl) -> int:
    return (await control.counters()).calls.get("generate_images", 0)


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
    async with held(one, key, control):
        beside = await paint(other, key)

    assert (beside.status_code, beside.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert "busy" in beside.json()["error"]["message"]


async def test_what_one_refuses_can_be_made_in_the_other_on_the_same_day(
    gateways: tuple[Gateway, Gateway], key: str, control: SimulatorControl
) -> None:
    one, other = gateways
    limits = ("--requests-per-min", "0", "--max-per-day", "1")
    one_a_day = one.run("keys", "create", "--name", "one a day", *limits).strip()
    async with held(one, key, control):
        refused = await paint(other, one_a_day)
    assert (refused.status_code, "busy" in refused.text) == (429, True)

    async with asyncio.timeout(WITHIN_S):
        while (await paint(one, one_a_day)).status_code != 200:
            await asyncio.sleep(0.02)

    beyond = await paint(other, one_a_day)
    assert (beyond.status_code, "1 result made a day" in beyond.text) == (429, True), beyond.text


async def test_who_waits_in_the_other_hears_of_the_end(
    gateways: tuple[Gateway, Gateway], key: str, control: SimulatorControl
) -> None:
    one, other = gateways
    before = await asked(control)
    async with held(one, key, control, "once"):
        waiting = asyncio.create_task(paint(other, key, "once"))
        await asyncio.sleep(0.3)  # it waits by now; if not, it only has less to hear
        assert not waiting.done()

    assert (await waiting).status_code == 200
    assert await asked(control) == before + 1


async def test_what_one_changes_the_other_knows_at_once(gateways: tuple[Gateway, Gateway]) -> None:
    one, other = gateways
    async with session(one) as here, httpx.AsyncClient(base_url=other.url) as there:
        before = await shown_keys(there)
        for is_told in (False, True):
            answer = await here.patch("/api/admin/options", json={"health_counts": is_told})
            assert answer.status_code == 200, answer.text
            async with asyncio.timeout(WITHIN_S):
                while (await shown_keys(there) == before) is not is_told:
                    await asyncio.sleep(0.01)


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
    assert took_s < 20
    assert health.status_code == 200
    assert (doctor.code, doctor.err.count("Traceback")) == (1, 0), doctor.err
    assert "What processes share slots and limits by does not answer" in doctor.out
    await asyncio.sleep(1.0)
    assert (await paint(gateways[1], key)).status_code == 200


def test_doctor_looks_at_it(gateways: tuple[Gateway, Gateway]) -> None:
    assert "Slots and limits can be shared with other processes." in gateways[0].run("doctor")
