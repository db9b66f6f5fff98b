"""What only the disk can get wrong."""

import asyncio
import errno
import fcntl
import gc
import hashlib
import os
import stat
import sys
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from flow2api.adapters.disk import DiskMediaStore, flushing
from flow2api.domain.errors import MediaGoneError, StorageError, StorageFullError
from flow2api.testing.fakes.media import in_chunks

MIB = 1024 * 1024


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data" / "media"


@pytest.fixture
async def store(root: Path) -> AsyncIterator[DiskMediaStore]:
    made = DiskMediaStore(root)
    yield made
    await made.aclose()


@pytest.fixture
async def waiting_store(root: Path) -> AsyncIterator[DiskMediaStore]:
    """One that waits for the disk each time."""
    made = DiskMediaStore(root, flush_within_s=0)
    yield made
    await made.aclose()


def path_of(root: Path, address: str) -> Path:
    return root / address[:2] / address


def files_in(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


async def content(store: DiskMediaStore, address: str) -> bytes:
    return b"".join([chunk async for chunk in store.read(address)])


async def zeros(count: int, each: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield bytes(each)


async def test_only_the_owner_may_read_what_is_kept(store: DiskMediaStore, root: Path) -> None:
    stored = await store.put(in_chunks(b"private"))

    path = path_of(root, stored.sha256)
    assert path.read_bytes() == b"private"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (root, root / "incoming", path.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_touches_nothing_before_its_first_use(root: Path) -> None:
    await DiskMediaStore(root).aclose()

    assert not root.exists()


@pytest.mark.parametrize("size", [1000, 3 * MIB])
@pytest.mark.parametrize("step", ["open", "write", "fsync", "rename", "mkdir"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
async def test_says_so_when_the_disk_is_full(
    waiting_store: DiskMediaStore, root: Path, monkeypatch: pytest.MonkeyPatch, step: str, size: int, code: int
) -> None:
    await waiting_store.put(in_chunks(b"the folder exists"))
    before = files_in(root)

    with monkeypatch.context() as patched:
        patched.setattr(os, step, failing(getattr(os, step), code))
        with pytest.raises(StorageFullError):
            await waiting_store.put(zeros(size // 1000, 1000))

    assert files_in(root) == before


def failing(call: Callable[..., Any], code: int) -> Callable[..., Any]:
    """The call as it is on a full disk: what only reads goes on working."""

    def fail(*args: Any, **kwargs: Any) -> Any:
        if call is os.open and not args[1] & os.O_CREAT:
            return os_open(*args, **kwargs)
        raise OSError(code, os.strerror(code))

    return fail


os_open = os.open


async def test_is_well_again_when_there_is_room_again(store: DiskMediaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", failing(os.write, errno.ENOSPC))
        with pytest.raises(StorageFullError):
            await store.put(in_chunks(b"later"))

    stored = await store.put(in_chunks(b"later"))

    assert await content(store, stored.sha256) == b"later"


async def test_names_another_fault_of_the_disk(store: DiskMediaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", failing(os.write, errno.EROFS))

    with pytest.raises(StorageError, match="EROFS") as caught:
        await store.put(in_chunks(b"x"))

    assert not isinstance(caught.value, StorageFullError)


@pytest.mark.parametrize("damage", ["flipped", "cut", "emptied", "longer"])
async def test_damaged_content_counts_as_gone_and_can_be_put_again(root: Path, damage: str) -> None:
    data = b"a picture" * 100
    first = DiskMediaStore(root)
    stored = await first.put(in_chunks(data))
    await first.aclose()
    path = path_of(root, stored.sha256)
    harmed = {"flipped": b"b" + data[1:], "cut": data[:-1], "emptied": b"", "longer": data + b"!"}[damage]
    path.write_bytes(harmed)

    store = DiskMediaStore(root)
    with pytest.raises(MediaGoneError):
        await content(store, stored.sha256)
    await store.put(in_chunks(data))

    assert await content(store, stored.sha256) == data
    await store.aclose()


async def test_notices_damage_done_while_it_runs(store: DiskMediaStore, root: Path) -> None:
    stored = await store.put(in_chunks(b"whole" * 1000))
    assert await content(store, stored.sha256)

    os.truncate(path_of(root, stored.sha256), 10)

    with pytest.raises(MediaGoneError):
        await content(store, stored.sha256)


async def test_hashes_a_file_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = DiskMediaStore(root)
    stored = await first.put(in_chunks(b"x" * 1000))
    await first.aclose()
    hashed: list[str] = []
    monkeypatch.setattr(hashlib, "sha256", recording(hashlib.sha256, "sha256", hashed))

    store = DiskMediaStore(root)
    for _ in range(3):
        await content(store, stored.sha256)
    await store.aclose()

    assert len(hashed) == 1


@pytest.mark.parametrize("level", [0, 1])
async def test_follows_no_symbolic_link(store: DiskMediaStore, root: Path, tmp_path: Path, level: int) -> None:
    secret = b"outside of the root"
    address = hashlib.sha256(secret).hexdigest()
    await store.put(in_chunks(b"the folder exists"))
    outside = tmp_path / "outside"
    real = outside / address
    real.parent.mkdir(parents=True)
    real.write_bytes(secret)
    place = [root / address[:2], path_of(root, address)][level]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to([outside, real][level])

    assert await store.size(address) is None
    with pytest.raises(MediaGoneError):
        await content(store, address)
    await store.delete(address)
    assert real.read_bytes() == secret


async def test_is_not_held_up_by_a_named_pipe(store: DiskMediaStore, root: Path) -> None:
    stored = await store.put(in_chunks(b"x"))
    path_of(root, stored.sha256).unlink()
    os.mkfifo(path_of(root, stored.sha256))

    async with asyncio.timeout(20):
        assert await store.size(stored.sha256) is None


async def test_root_may_be_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    store = DiskMediaStore(tmp_path / "link")

    stored = await store.put(in_chunks(b"x"))
    await store.aclose()

    assert path_of(tmp_path / "real", stored.sha256).exists()


async def test_sweeps_what_a_killed_process_left_an_hour_ago(root: Path) -> None:
    (root / "incoming").mkdir(parents=True)
    old, young = root / "incoming" / "old", root / "incoming" / "young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 3700,) * 2)
    store = DiskMediaStore(root)

    await store.size("0" * 64)
    await store.aclose()

    assert (old.exists(), young.exists()) == (False, True)


@pytest.mark.parametrize("after_bytes", [1000, 3 * MIB])
async def test_cancelled_put_leaves_nothing(store: DiskMediaStore, root: Path, after_bytes: int) -> None:
    came = asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        for _ in range(after_bytes // 1000):
            yield bytes(1000)
        came.set()
        await asyncio.Event().wait()

    await store.put(in_chunks(b"the folder exists"))
    before = files_in(root)
    putting = asyncio.create_task(store.put(stalling()))
    await came.wait()
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting

    assert files_in(root) == before


async def test_put_cancelled_amid_a_write_leaves_nothing(
    store: DiskMediaStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, go_on = threading.Event(), threading.Event()
    os_write = os.write

    def slow_write(descriptor: int, data: memoryview) -> int:
        writing.set()
        go_on.wait(60)
        return os_write(descriptor, data)

    await store.put(in_chunks(b"the folder exists"))
    before = files_in(root)
    monkeypatch.setattr(os, "write", slow_write)
    putting = asyncio.create_task(store.put(zeros(3, MIB)))
    await asyncio.to_thread(writing.wait)
    putting.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await putting

    assert files_in(root) == before


@pytest.fixture
def open_files() -> Callable[[], int]:
    gc.collect()
    return lambda: sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
async def test_leaks_no_descriptor(store: DiskMediaStore, open_files: Callable[[], int]) -> None:
    stored = await store.put(zeros(3, MIB))
    before = open_files()

    for _ in range(20):
        abandoned = store.read(stored.sha256)
        await anext(abandoned)
        await abandoned.aclose()
        cancelled = asyncio.create_task(content(store, stored.sha256))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.wait([cancelled])
    await asyncio.gather(*(content(store, stored.sha256) for _ in range(20)))
    await store.size(stored.sha256)

    async with asyncio.timeout(20):
        while open_files() > before:
            await asyncio.sleep(0.01)


async def test_needs_constant_memory_either_way(store: DiskMediaStore) -> None:
    await store.put(zeros(1, 1000))
    tracemalloc.start()
    try:
        stored = await store.put(zeros(1024, 65_536))
        async for _ in store.read(stored.sha256):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert stored.size_bytes == 64 * MIB
    assert peak < 2 * MIB


async def test_uses_few_threads_whatever_the_load(store: DiskMediaStore) -> None:
    of_others = set(threading.enumerate())
    stored = await asyncio.gather(*(store.put(in_chunks(str(n).encode())) for n in range(100)))

    mine = [one for one in set(threading.enumerate()) - of_others if one.name.startswith("media-disk")]
    assert len({one.sha256 for one in stored}) == 100
    assert len(mine) <= 4


async def test_small_content_costs_one_trip_to_a_thread(store: DiskMediaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    trips: list[str] = []
    monkeypatch.setattr(loop, "run_in_executor", recording(loop.run_in_executor, "trip", trips))

    stored = await store.put(zeros(100, 3000))
    assert len(trips) == 1

    await content(store, stored.sha256)
    assert len(trips) == 3


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calls of the disk that matter, in order."""
    made: list[str] = []
    for name in ("write", "fsync", "rename"):
        monkeypatch.setattr(os, name, recording(getattr(os, name), name, made))
    monkeypatch.setattr(flushing, "flush_file_system", recording(flushing.flush_file_system, "flush", made))
    return made


async def test_writes_in_order_of_what_must_last(waiting_store: DiskMediaStore, root: Path, steps: list[str]) -> None:
    """The bytes are on the disk before the name, and the name before `put` returns."""
    await waiting_store.put(in_chunks(b"first, makes the folders"))
    steps.clear()
    path_of(root, hashlib.sha256(b"x").hexdigest()).parent.mkdir(parents=True)

    await waiting_store.put(in_chunks(b"x"))

    assert steps == ["write", "fsync", "rename", "fsync"]


async def test_waits_for_the_disk_with_every_large_content(store: DiskMediaStore, steps: list[str]) -> None:
    await store.put(zeros(3, MIB))

    assert steps[-3:] == ["fsync", "rename", "fsync"]
    assert "flush" not in steps


async def test_brings_small_contents_to_the_disk_together(root: Path, steps: list[str]) -> None:
    store = DiskMediaStore(root, flush_within_s=0.01)
    await asyncio.gather(*(store.put(in_chunks(str(number).encode())) for number in range(20)))
    assert steps.count("rename") >= 20

    async with asyncio.timeout(20):
        while steps[-1] != "flush":
            await asyncio.sleep(0.01)
    steps.clear()
    await asyncio.sleep(0.05)

    assert not steps, "what is on the disk is not brought there again"
    await store.aclose()


async def test_brings_to_the_disk_what_came_last_when_it_is_closed(root: Path, steps: list[str]) -> None:
    store = DiskMediaStore(root, flush_within_s=30)
    await store.put(in_chunks(b"x"))

    await store.aclose()

    assert steps[-1] == "flush"


async def test_goes_on_when_the_disk_refuses_to_flush(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = DiskMediaStore(root, flush_within_s=30)
    stored = await store.put(in_chunks(b"x"))
    monkeypatch.setattr(flushing, "flush_file_system", failing(flushing.flush_file_system, errno.EIO))

    assert await content(store, stored.sha256) == b"x"
    await store.aclose()

    assert "power cut" in caplog.text


async def test_keeps_on_when_somebody_removes_a_folder(store: DiskMediaStore, root: Path) -> None:
    first = await store.put(in_chunks(b"x"))
    path_of(root, first.sha256).unlink()
    path_of(root, first.sha256).parent.rmdir()

    assert await store.size(first.sha256) is None
    await store.put(in_chunks(b"x"))

    assert await content(store, first.sha256) == b"x"


def recording(call: Callable[..., Any], name: str, steps: list[str]) -> Callable[..., Any]:
    def record(*args: Any, **kwargs: Any) -> Any:
        steps.append(name)
        return call(*args, **kwargs)

    return record


async def test_put_that_comes_amid_a_removal_writes_anew(
    store: DiskMediaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sweep has seen an old file and is about to remove it; a media that is just made has the same bytes."""
    stored = await store.put(in_chunks(b"same"))
    removing, go_on = held_up(monkeypatch, "unlink")

    deleting = asyncio.create_task(store.delete_unless_put_since(stored.sha256, soon()))
    assert await asyncio.to_thread(removing.wait, 20)
    putting = asyncio.create_task(store.put(in_chunks(b"same")))
    await asyncio.sleep(0.02)
    assert not putting.done()
    go_on.set()

    assert await deleting
    assert await putting == stored
    assert await content(store, stored.sha256) == b"same"


async def test_removal_that_comes_amid_a_put_spares_it(store: DiskMediaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = await store.put(in_chunks(b"same"))
    before = datetime.now(UTC)
    renewing, go_on = held_up(monkeypatch, "utime")

    putting = asyncio.create_task(store.put(in_chunks(b"same")))
    assert await asyncio.to_thread(renewing.wait, 20)
    deleting = asyncio.create_task(store.delete_unless_put_since(stored.sha256, before))
    await asyncio.sleep(0.02)
    assert not deleting.done()
    go_on.set()

    assert await putting == stored
    assert not await deleting
    assert await content(store, stored.sha256) == b"same"


async def test_puts_and_removals_of_two_processes_lose_nothing(store: DiskMediaStore, root: Path) -> None:
    """Whatever the order: what a put has acknowledged is there, unless a later moment was named to the removal."""
    other = DiskMediaStore(root)
    for _ in range(50):
        before = datetime.now(UTC)
        stored, _ = await asyncio.gather(
            store.put(in_chunks(b"same")),
            other.delete_unless_put_since(hashlib.sha256(b"same").hexdigest(), before - timedelta(seconds=1)),
        )
        assert await other.size(stored.sha256) == 4
    await other.aclose()


def held_up(monkeypatch: pytest.MonkeyPatch, name: str) -> tuple[threading.Event, threading.Event]:
    """Events that tell that the call has been reached, and let it go on."""
    reached, go_on, call = threading.Event(), threading.Event(), getattr(os, name)

    def hold(*args: Any, **kwargs: Any) -> Any:
        reached.set()
        go_on.wait(60)
        return call(*args, **kwargs)

    monkeypatch.setattr(os, name, hold)
    return reached, go_on


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=1)


async def test_damaged_content_is_replaced_and_young_again(store: DiskMediaStore, root: Path) -> None:
    stored = await store.put(in_chunks(b"whole"))
    path_of(root, stored.sha256).write_bytes(b"harmed")
    os.utime(path_of(root, stored.sha256), (1, 1))

    await store.put(in_chunks(b"whole"))

    assert await content(store, stored.sha256) == b"whole"
    assert not await store.delete_unless_put_since(stored.sha256, datetime.now(UTC) - timedelta(hours=1))


async def test_addresses_are_files_of_ours_alone(store: DiskMediaStore, root: Path, tmp_path: Path) -> None:
    stored = await store.put(in_chunks(b"x"))
    shard = path_of(root, stored.sha256).parent
    (shard / "notes.txt").write_text("by the operator")
    (shard / ("f" * 64)).mkdir()
    (root / "lost+found").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (root / "00").symlink_to(tmp_path / "elsewhere")

    found = [address async for some in store.addresses(not_put_since=soon()) for address in some]

    assert found == [stored.sha256]


async def test_addresses_of_a_folder_that_cannot_be_read_are_an_error(
    store: DiskMediaStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put(in_chunks(b"x"))
    listdir, asked = os.listdir, []

    def second_time_failing(folder: int) -> list[str]:
        asked.append(folder)
        if len(asked) > 1:
            raise OSError(errno.EIO, "broken")
        return listdir(folder)

    monkeypatch.setattr(os, "listdir", second_time_failing)

    with pytest.raises(StorageError, match="EIO"):
        [some async for some in store.addresses(not_put_since=soon())]


async def test_room_is_what_the_disk_has_and_leaves_nothing(store: DiskMediaStore, root: Path) -> None:
    room = await store.room()

    found = os.statvfs(root)
    assert abs(room - found.f_bavail * found.f_frsize) < 512 * MIB
    assert files_in(root) == []


async def test_there_is_no_room_without_names_for_files(store: DiskMediaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fstatvfs", lambda _: SimpleNamespace(f_bavail=10, f_frsize=4096, f_files=7, f_favail=0))
    assert await store.room() == 0

    monkeypatch.setattr(os, "fstatvfs", lambda _: SimpleNamespace(f_bavail=10, f_frsize=4096, f_files=0, f_favail=0))
    assert await store.room() == 40960


@pytest.mark.parametrize(
    ("code", "error"), [(errno.ENOSPC, StorageFullError), (errno.EROFS, StorageError), (errno.EDQUOT, StorageFullError)]
)
@pytest.mark.parametrize("step", ["open", "write"])
async def test_room_of_a_disk_that_takes_nothing_is_an_error(
    store: DiskMediaStore, root: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int, error: type[StorageError]
) -> None:
    await store.put(in_chunks(b"the folder exists"))
    before = files_in(root)
    monkeypatch.setattr(os, step, failing(getattr(os, step), code))

    with pytest.raises(StorageError) as caught:
        await store.room()

    assert type(caught.value) is error
    assert files_in(root) == before


async def test_works_where_there_are_no_locks(store: DiskMediaStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(fcntl.flock, errno.ENOLCK))
    stored = await store.put(in_chunks(b"x"))
    await store.put(in_chunks(b"x"))

    assert await store.delete_unless_put_since(stored.sha256, soon())
    assert await store.size(stored.sha256) is None


KEEPS_PUTTING = """
import asyncio, os, sys
from pathlib import Path
from flow2api.adapters.disk import DiskMediaStore

async def chunks():
    for _ in range(12):
        yield os.urandom(100_000)

async def main():
    store = DiskMediaStore(Path(sys.argv[1]))
    async def put():
        while True:
            print((await store.put(chunks())).sha256, flush=True)
    await asyncio.gather(*(put() for _ in range(4)))

asyncio.run(main())
"""


async def test_killed_process_leaves_all_that_it_acknowledged_and_nothing_partial(root: Path) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KEEPS_PUTTING, str(root)), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[4]
    )
    assert child.stdout is not None
    acknowledged = [(await child.stdout.readline()).decode().strip() for _ in range(12)]
    child.kill()
    acknowledged += (await child.stdout.read()).decode().split()[:-1]
    await child.wait()

    kept = {path.name: path.read_bytes() for path in root.glob("??/*")}

    assert set(acknowledged) <= kept.keys()
    assert all(hashlib.sha256(data).hexdigest() == name for name, data in kept.items())
