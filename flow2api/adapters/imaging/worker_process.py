"""One worker process, seen from the server."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Self

import msgspec

import flow2api
from flow2api.adapters.imaging.limits import WorkerLimits
from flow2api.adapters.imaging.wire import (
    CHUNK_BYTES,
    MAX_RESULT_BYTES,
    Answer,
    Job,
    decode_answer,
    encode,
    frame_length,
)
from flow2api.domain.errors import Flow2ApiError

_KEPT_ENVIRONMENT = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ")
_STOP_S = 2.0


class WorkerDiedError(Exception):
    """The process ended before it answered."""


class WorkerProcess:
    """A started process that does one job at a time."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None  # noqa: S101 - both are pipes, by `start`
        assert process.stdout is not None  # noqa: S101
        self._process = process
        self._input = process.stdin
        self._output = process.stdout

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it is not known to have ended."""
        return self._process.returncode is None

    @classmethod
    async def start(cls, limits: WorkerLimits, scratch: Path | None) -> Self:
        """Start a process and wait until it reports.

        Raises:
            Flow2ApiError: It did not start.
        """
        arguments = [str(limits.address_space_bytes), str(limits.file_bytes)]
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "flow2api.adapters.imaging.worker", *arguments),
                *([] if scratch is None else [str(scratch)]),
                stdin=PIPE,
                stdout=PIPE,
                env=_environment(),
                start_new_session=True,  # Ctrl-C at a terminal is the server's business.
            )
        except OSError as cause:
            raise _not_started() from cause
        worker = cls(process)
        try:
            async with asyncio.timeout(limits.start_s):
                await worker._read_frame()
        except (WorkerDiedError, TimeoutError) as cause:
            await worker.kill()
            raise _not_started() from cause
        except BaseException:
            await worker.kill()
            raise
        return worker

    async def do(self, job: Job, chunks: AsyncIterator[bytes]) -> tuple[Answer, bytes]:
        """Have one job done. After an exception the process is of no more use.

        Raises:
            WorkerDiedError: It ended, by its own time limit or for another reason.
        """
        try:
            await self._write_frame(encode(job))
            async for chunk in chunks:
                for start in range(0, len(chunk), CHUNK_BYTES):
                    await self._write_frame(memoryview(chunk)[start : start + CHUNK_BYTES])
            await self._write_frame(b"")
        except (BrokenPipeError, ConnectionResetError) as cause:
            raise WorkerDiedError from cause
        answer, made = await self._read_frame(), await self._read_frame()
        try:
            return decode_answer(answer), made
        except msgspec.DecodeError as cause:
            raise WorkerDiedError from cause

    async def stop(self) -> None:
        """Let it end by itself, which it does at once when it has nothing to do; else end it."""
        self._input.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                await self._process.wait()
                return
        await self.kill()

    async def kill(self) -> None:
        """End it."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._input.close()
        await self._process.wait()

    async def _write_frame(self, body: bytes | memoryview) -> None:
        self._input.write(frame_length(len(body)))
        self._input.write(body)
        await self._input.drain()

    async def _read_frame(self) -> bytes:
        try:
            length = int.from_bytes(await self._output.readexactly(4), "big")
            if length > MAX_RESULT_BYTES:
                raise WorkerDiedError
            return await self._output.readexactly(length)
        except asyncio.IncompleteReadError as cause:
            raise WorkerDiedError from cause


def _environment() -> dict[str, str]:
    """What a process needs to find its modules; settings and secrets of the server are not among it."""
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return kept | {"PYTHONPATH": str(Path(flow2api.__file__).parents[1])}


def _not_started() -> Flow2ApiError:
    return Flow2ApiError("Pictures cannot be read now: the worker process did not start. Try again later.")
