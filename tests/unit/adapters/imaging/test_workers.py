"""The life of worker processes, whatever happens to them or to the server."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextvars import ContextVar
from pathlib import Path

import pytest
from PIL import Image

from flow2api.adapters.imaging.limits import PictureLimits, WorkerLimits
from flow2api.adapters.imaging.pictures import PillowPictures
from flow2api.adapters.imaging.wire import Facts, Inspect, Job
from flow2api.adapters.imaging.worker_process import WorkerDiedError, WorkerProcess
from flow2api.adapters.imaging.workers import Workers, WorkerTimeoutError
from flow2api.domain.errors import Flow2ApiError, UnsupportedInputError
from tests.unit.adapters.imaging import samples

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")

INSPECT = Inspect(PictureLimits())
ROOT = Path(__file__).parents[4]


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    made = Workers(at_most=2)
    yield made
    await made.aclose()


def picture() -> Callable[[], AsyncIterator[bytes]]:
    async def chunks() -> AsyncIterator[bytes]:
        yield samples.plain()

    return chunks


async def stalling() -> AsyncIterator[bytes]:
    yield b"\x89PNG\r\n\x1a\n"
    await asyncio.Event().wait()


def children() -> set[int]:
    """Processes that this one has started and that still run."""
    return {
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/stat")
        if (fields := stat_fields(path)) and fields[1] == str(os.getpid()) and fields[0] != "Z"
    }


def stat_fields(path: Path) -> list[str]:
    """State, parent and what follows; empty when the process is gone."""
    try:
        return path.read_text().rpartition(")")[2].split()
    except OSError:
        return []


def is_running(pid: int) -> bool:
    return stat_fields(Path(f"/proc/{pid}/stat"))[:1] not in ([], ["Z"])


async def ended(pid: int, within_s: float = 30) -> bool:
    until = time.monotonic() + within_s
    while is_running(pid) and time.monotonic() < until:
        await asyncio.sleep(0.01)
    return not is_running(pid)


async def test_starts_no_process_before_the_first_job() -> None:
    before = children()
    await Workers().aclose()

    assert not children() - before


async def test_one_process_does_many_jobs(workers: Workers) -> None:
    before = children()
    await workers.run(INSPECT, picture(), time_limit_s=60)
    [pid] = children() - before
    answers = [await workers.run(INSPECT, picture(), time_limit_s=60) for _ in range(20)]

    assert answers == [(Facts("image/png", 40, 24), b"")] * 20
    assert children() - before == {pid}


async def test_never_runs_more_processes_than_it_may(workers: Workers) -> None:
    before = children()

    answers = await asyncio.gather(*(workers.run(INSPECT, picture(), time_limit_s=60) for _ in range(30)))

    assert len(answers) == 30
    assert len(children() - before) == 2


async def test_leaves_no_process_when_closed(workers: Workers) -> None:
    before = children()
    await asyncio.gather(*(workers.run(INSPECT, picture(), time_limit_s=60) for _ in range(4)))
    await workers.aclose()

    assert not children() - before


async def test_ends_a_process_that_has_nothing_to_do() -> None:
    workers = Workers(limits=WorkerLimits(idle_s=0.05))
    before = children()
    pids = list[int]()

    async def noting() -> AsyncIterator[bytes]:
        pids.extend(children() - before)
        yield samples.plain()

    await workers.run(INSPECT, noting, time_limit_s=60)

    [pid] = pids
    assert await ended(pid)
    answer, _ = await workers.run(INSPECT, picture(), time_limit_s=60)
    assert isinstance(answer, Facts)
    await workers.aclose()


async def test_process_is_ended_apart_from_the_request_that_used_it_last(monkeypatch: pytest.MonkeyPatch) -> None:
    request = ContextVar("request", default="nobody's")
    request.set("req_1")
    workers, seen = Workers(limits=WorkerLimits(idle_s=0.01)), asyncio.Queue[str]()
    stop = WorkerProcess.stop

    async def stopping(worker: WorkerProcess) -> None:
        seen.put_nowait(request.get())
        await stop(worker)

    monkeypatch.setattr(WorkerProcess, "stop", stopping)
    await workers.run(INSPECT, picture(), time_limit_s=60)
    assert await seen.get() == "nobody's"
    await workers.aclose()


async def test_ends_a_process_that_takes_too_long(workers: Workers) -> None:
    before = children()
    with pytest.raises(WorkerTimeoutError):
        await workers.run(INSPECT, stalling, time_limit_s=0.05)

    assert not children() - before
    answer, _ = await workers.run(INSPECT, picture(), time_limit_s=60)
    assert isinstance(answer, Facts)


async def test_ends_a_process_that_hangs(workers: Workers) -> None:
    before = children()
    await workers.run(INSPECT, picture(), time_limit_s=60)
    [pid] = children() - before
    os.kill(pid, signal.SIGSTOP)
    pictures = PillowPictures(workers, time_limit_s=0.1)

    with pytest.raises(UnsupportedInputError) as caught:
        await pictures.inspect(samples.plain())

    assert caught.value.code == "image_parse_error"
    assert await ended(pid)


async def test_ends_the_process_of_a_caller_who_gave_up(workers: Workers) -> None:
    before = children()
    running = asyncio.create_task(workers.run(INSPECT, stalling, time_limit_s=60))
    while not children() - before:
        await asyncio.sleep(0.01)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert not children() - before


async def test_a_process_that_died_while_idle_costs_no_answer(workers: Workers) -> None:
    before = children()
    await workers.run(INSPECT, picture(), time_limit_s=60)
    [pid] = children() - before
    os.kill(pid, signal.SIGKILL)

    answer, _ = await workers.run(INSPECT, picture(), time_limit_s=60)

    assert isinstance(answer, Facts)


async def test_refuses_what_brings_the_decoder_down(workers: Workers) -> None:
    before = children()

    async def deadly() -> AsyncIterator[bytes]:
        yield samples.plain()
        for pid in children() - before:
            os.kill(pid, signal.SIGKILL)
        await asyncio.sleep(0.05)

    with pytest.raises(WorkerDiedError):
        await workers.run(INSPECT, deadly, time_limit_s=60)

    assert not children() - before


async def test_failure_of_the_source_is_passed_on(workers: Workers) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"\x89PNG"
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await workers.run(INSPECT, failing, time_limit_s=60)


async def test_refuses_a_picture_that_needs_too_much_memory() -> None:
    workers = Workers(limits=WorkerLimits(address_space_bytes=192 * 1024 * 1024))
    pictures = PillowPictures(workers)
    large = samples.encoded(Image.new("RGBA", (7000, 7000)), compress_level=1)

    with pytest.raises(UnsupportedInputError) as caught:
        await pictures.inspect(large)
    small = await pictures.inspect(samples.plain())
    await workers.aclose()

    assert caught.value.code == "image_parse_error"
    assert small.width == 40


async def test_the_largest_picture_that_is_accepted_fits_into_memory(workers: Workers) -> None:
    exif = Image.Exif()
    exif[samples.ORIENTATION] = 6
    largest = samples.encoded(Image.new("RGBA", (8000, 6250), (9, 9, 9, 9)), compress_level=1, exif=exif)

    made = await PillowPictures(workers).convert(largest, "image/jpeg")

    assert (await PillowPictures(workers).inspect(made)).width == 6250


async def test_process_is_given_no_setting_and_no_secret(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOW2API_PLANTED", "canary")
    monkeypatch.setenv("DATABASE_PASSWORD", "canary")
    before = children()
    await workers.run(INSPECT, picture(), time_limit_s=60)
    [pid] = children() - before

    assert b"canary" not in Path(f"/proc/{pid}/environ").read_bytes()


async def test_process_ends_itself_when_nobody_else_does() -> None:
    worker = await WorkerProcess.start(WorkerLimits(), None)

    with pytest.raises(WorkerDiedError):
        await worker.do(Job(INSPECT, time_limit_s=0.1), stalling_then(worker.pid))

    await worker.kill()


async def stalling_then(pid: int) -> AsyncIterator[bytes]:
    yield b"\x89PNG\r\n\x1a\n"
    await ended(pid)


ORPHANS = """
import asyncio, sys
from flow2api.adapters.imaging.limits import PictureLimits
from flow2api.adapters.imaging.wire import Inspect
from flow2api.adapters.imaging.workers import Workers

async def stalling():
    yield b"x"
    await asyncio.Event().wait()

async def main():
    workers = Workers()
    async def empty():
        return
        yield b""
    await workers.run(Inspect(PictureLimits()), empty, time_limit_s=60)
    if sys.argv[1] == "busy":
        asyncio.create_task(workers.run(Inspect(PictureLimits()), stalling, time_limit_s=60))
        await asyncio.sleep(0.1)
    print("ready", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
async def test_processes_end_when_the_server_is_killed(state: str) -> None:
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ORPHANS, state), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert server.stdout is not None
    await server.stdout.readline()
    pids = [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/stat")
        if stat_fields(path)[1:2] == [str(server.pid)]
    ]
    server.kill()
    await server.wait()

    assert pids
    assert all([await ended(pid) for pid in pids])


async def test_says_so_when_no_process_can_be_started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "missing"))
    with pytest.raises(Flow2ApiError, match="worker process did not start"):
        await Workers().run(INSPECT, picture(), time_limit_s=60)

    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(Flow2ApiError, match="worker process did not start"):
        await Workers().run(INSPECT, picture(), time_limit_s=60)
