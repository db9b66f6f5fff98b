import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import msgspec
import pytest
from curl_cffi.const import CurlOpt
from curl_cffi.requests.exceptions import RequestException

from flow2api.testing.simulator import SimulatorControlError, SimulatorProcess
from tests.integration.simulator.flow_client import FlowClient

ROOT = Path(__file__).parents[3]
ENDS_WITHIN_S = 30.0
"""No promise, but a bound for what comes at once where nothing else runs."""


def alive(pid: int) -> bool:
    """Whether a process runs (a dead one that nobody waited for does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def start(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """Starts a simulator the way a shell would."""
    command = [sys.executable, "-m", "flow2api.simulator", "--port", "0", "--ready-file", str(folder / "ready.json")]
    return subprocess.Popen([*command, *arguments], cwd=ROOT)


def wait_for(path: Path) -> bytes:
    """The content of a file that is about to appear."""
    deadline = time.monotonic() + ENDS_WITHIN_S
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} did not appear"
        time.sleep(0.02)
    return path.read_bytes()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ends_well_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    process = start(tmp_path)
    wait_for(tmp_path / "ready.json")
    process.send_signal(number)
    assert process.wait(ENDS_WITHIN_S) == 0


def test_starts_with_accounts_of_a_file_and_demo_accounts(tmp_path: Path) -> None:
    (tmp_path / "accounts.json").write_text('[{"email": "ada@example.com", "credits": 3}]')
    process = start(tmp_path, "--accounts", str(tmp_path / "accounts.json"), "--demo-accounts", "2", "--era", "seed")
    try:
        ready = msgspec.json.decode(wait_for(tmp_path / "ready.json"))
    finally:
        process.terminate()
        process.wait(ENDS_WITHIN_S)
    assert ready["accounts"][0]["knobs"]["email"] == "ada@example.com"
    assert len(ready["accounts"]) == 3
    assert ready["labs_base_url"] == ready["base_url"] + "/fx/api"
    assert ready["api_base_url"] == ready["base_url"] + "/v1"


def test_ends_when_its_parent_dies(tmp_path: Path) -> None:
    script = f"""
        import subprocess, sys, time
        command = [sys.executable, "-m", "flow2api.simulator", "--port", "0", "--with-parent"]
        child = subprocess.Popen([*command, "--ready-file", {str(tmp_path / "ready.json")!r}])
        open({str(tmp_path / "pid")!r} + ".part", "w").write(str(child.pid))
        import os; os.rename({str(tmp_path / "pid")!r} + ".part", {str(tmp_path / "pid")!r})
        time.sleep(60)
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT)
    pid = int(wait_for(tmp_path / "pid"))
    wait_for(tmp_path / "ready.json")
    parent.kill()
    parent.wait(ENDS_WITHIN_S)
    deadline = time.monotonic() + ENDS_WITHIN_S
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    if alive(pid):
        os.kill(pid, signal.SIGKILL)
        pytest.fail("the simulator outlived its parent")


async def test_the_context_ends_its_process() -> None:
    async with SimulatorProcess() as simulator:
        pid = simulator.pid
    assert not alive(pid)
    with pytest.raises(SimulatorControlError, match="not running"):
        _ = simulator.base_url


async def test_a_process_that_can_not_start_says_so() -> None:
    async with SimulatorProcess() as simulator:
        port = int(simulator.base_url.rpartition(":")[2])
        with pytest.raises(SimulatorControlError, match="exit code 2"):
            await SimulatorProcess(port=port).__aenter__()


async def test_control_calls_that_are_wrong_raise() -> None:
    async with SimulatorProcess() as simulator:
        with pytest.raises(SimulatorControlError, match="no account nobody"):
            await simulator.control.account("nobody")


async def test_the_typed_client_reaches_every_control_call() -> None:
    async with SimulatorProcess() as simulator:
        control = simulator.control
        accounts = await control.add_accounts(2, credits=5)
        assert [account.credits for account in accounts] == [5, 5]
        assert (await control.patch_account(accounts[0].email, credits=9)).credits == 9
        assert len(await control.accounts()) == 2
        assert (await control.sign_in(accounts[0].id)).session_token != accounts[0].session_token
        await control.kill_access_tokens(accounts[0].id)
        assert (await control.set_speed(0)).speed == 0
        assert (await control.set_clock(1000)).now == 1000
        assert (await control.advance(10)).now == 1010
        assert (await control.clock()).now == 1010
        assert (await control.configure(era="seed")).era == (await control.options()).era == "seed"
        await control.add_fault("error", call="credits")
        assert len(await control.faults()) == 1
        await control.clear_faults()
        assert await control.faults() == []
        assert await control.requests() == []
        assert await control.jobs(account=accounts[0].id) == []
        await control.reset(keep_accounts=True)
        assert len(await control.accounts()) == 2
        await control.reset()
        assert (await control.counters()).accounts == {}


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize("running", ["2026-06"], indirect=True)
@pytest.mark.parametrize(("work_done", "spent"), [(False, 0), (True, 20)])
async def test_a_dropped_submit_is_cut_on_the_wire(
    simulator: SimulatorProcess, flow: FlowClient, work_done: bool, spent: int
) -> None:
    await simulator.control.add_fault("drop", call="submit_*", times=None, work_done=work_done)
    async with FlowClient(simulator, flow.account) as fresh:
        # Without this, curl itself repeats what is lost on a connection that it kept.
        fresh.session.curl_options = {CurlOpt.FRESH_CONNECT: 1}  # type: ignore[dict-item]
        with pytest.raises(RequestException):
            await fresh.video("a cat")
    assert (await simulator.control.counters()).credits_spent == spent
    (recorded,) = await simulator.control.requests(call="submit_*")
    assert (recorded.status, recorded.account) == (0, "acc-1")


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize("running", ["2026-06"], indirect=True)
@pytest.mark.parametrize("kind", ["truncate", "drop"])
async def test_a_cut_answer_fails_at_the_client(simulator: SimulatorProcess, flow: FlowClient, kind: str) -> None:
    await simulator.control.add_fault(kind, call="credits", times=None)  # type: ignore[arg-type]
    with pytest.raises(RequestException):
        await flow.api("GET", "/credits")
    await simulator.control.clear_faults()
    assert (await flow.api("GET", "/credits")).status_code == 200


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize("running", ["2026-06"], indirect=True)
async def test_latency_is_real(simulator: SimulatorProcess, flow: FlowClient) -> None:
    await simulator.control.add_fault("latency", call="credits", latency_s=0.3)
    began = time.monotonic()
    assert (await flow.api("GET", "/credits")).status_code == 200
    assert time.monotonic() - began >= 0.3


@pytest.mark.asyncio(loop_scope="package")
@pytest.mark.parametrize("running", ["2026-06"], indirect=True)
async def test_latency_leaves_others_alone(simulator: SimulatorProcess, flow: FlowClient) -> None:
    await simulator.control.add_fault("latency", call="credits", latency_s=60.0)
    slow = asyncio.create_task(flow.api("GET", "/credits"))
    async with asyncio.timeout(30):
        while (await simulator.control.faults())[0].hits == 0:
            await asyncio.sleep(0.01)
        assert (await flow.picture("a mug")).status_code == 200
    assert not slow.done()
    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow
