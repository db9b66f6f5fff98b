"""Starts the simulated upstream as a child process and steers it.

::

    async with SimulatorProcess() as simulator:
        account = await simulator.control.add_account(credits=100)
        await simulator.control.add_fault("error", call="submit_*", status=429, reason="PUBLIC_ERROR_USER_QUOTA_REACHED")
        ...
        assert await simulator.control.requests(call="submit_*", account=account.id)
"""

import asyncio
import contextlib
import os
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlencode

import msgspec
from curl_cffi.const import CurlHttpVersion
from curl_cffi.requests import AsyncSession

import flow2api
from flow2api.simulator.control_schema import (
    AccountKnobs,
    ClockChange,
    ClockView,
    Counters,
    Fault,
    FaultKind,
    JobView,
    NewAccounts,
    ReadyFile,
    RecordedRequest,
    SimAccount,
    SimOptions,
)

__all__ = [
    "AccountKnobs",
    "ClockView",
    "Counters",
    "Fault",
    "JobView",
    "RecordedRequest",
    "SimAccount",
    "SimOptions",
    "SimulatorControl",
    "SimulatorControlError",
    "SimulatorProcess",
]

T = TypeVar("T")

QUICK: dict[str, Any] = {
    "picture_s": 0.0,
    "picture_upscale_s": 0.0,
    "video_s": 0.05,
    "video_upscale_s": 0.05,
    "concatenation_s": 0.05,
    "media": "small",
    "video_scale": 0.1,
}
"""Options for tests: jobs end almost at once and media is tiny."""


class SimulatorControlError(Exception):
    """The control API refused a call; the message says why."""


class SimulatorControl:
    """Client of the control API of a running simulator.

    Args:
        base_url: Where it listens, such as ``http://127.0.0.1:8899``.
    """

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self._session: AsyncSession[Any] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connection; the next call opens a new one."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def add_account(self, **knobs: Any) -> SimAccount:
        """Makes one account.

        Args:
            **knobs: Fields of `AccountKnobs`.
        """
        return (await self.add_accounts(1, **knobs))[0]

    async def add_accounts(self, count: int, **knobs: Any) -> list[SimAccount]:
        """Makes ``count`` accounts that share their knobs."""
        body = NewAccounts(count=count, knobs=msgspec.convert(knobs, AccountKnobs))
        return await self._call("POST", "/accounts", list[SimAccount], body)

    async def accounts(self) -> list[SimAccount]:
        """All accounts as they stand."""
        return await self._call("GET", "/accounts", list[SimAccount])

    async def account(self, account: str) -> SimAccount:
        """One account by id or email."""
        return await self._call("GET", f"/accounts/{account}", SimAccount)

    async def patch_account(self, account: str, **knobs: Any) -> SimAccount:
        """Changes knobs of an account, named by id or email, while it is in use."""
        return await self._call("PATCH", f"/accounts/{account}", SimAccount, knobs)

    async def sign_in(self, account: str) -> SimAccount:
        """Plays a new browser login: clears what made the session unusable and mints a new session token."""
        return await self._call("POST", f"/accounts/{account}/sign-in", SimAccount)

    async def kill_access_tokens(self, account: str) -> SimAccount:
        """Makes every access token of the account dead from now on; its session stays good."""
        return await self._call("POST", f"/accounts/{account}/kill-access-tokens", SimAccount)

    async def add_fault(self, kind: FaultKind, **fields: Any) -> Fault:
        """Scripts a misbehaviour.

        Args:
            kind: What happens.
            **fields: The other fields of `Fault`: which calls it hits and how.
        """
        return await self._call("POST", "/faults", Fault, msgspec.convert({"kind": kind, **fields}, Fault))

    async def faults(self) -> list[Fault]:
        """The scripted faults with what they have seen and hit."""
        return await self._call("GET", "/faults", list[Fault])

    async def clear_faults(self) -> None:
        """Removes every fault."""
        await self._call("DELETE", "/faults", dict[str, Any])

    async def clock(self) -> ClockView:
        """The simulator's time."""
        return await self._call("GET", "/clock", ClockView)

    async def advance(self, seconds: float) -> ClockView:
        """Lets the simulator's clock jump forward; jobs that are due by then are done."""
        return await self._call("PATCH", "/clock", ClockView, ClockChange(advance_s=seconds))

    async def set_clock(self, now: float) -> ClockView:
        """Sets the simulator's clock to a unix time."""
        return await self._call("PATCH", "/clock", ClockView, ClockChange(now=now))

    async def set_speed(self, speed: float) -> ClockView:
        """Sets how fast the simulator's clock runs: 0 stops it, 1 is real time."""
        return await self._call("PATCH", "/clock", ClockView, ClockChange(speed=speed))

    async def options(self) -> SimOptions:
        """The options in force."""
        return await self._call("GET", "/options", SimOptions)

    async def configure(self, **options: Any) -> SimOptions:
        """Changes options.

        Args:
            **options: Fields of `SimOptions`.
        """
        return await self._call("PATCH", "/options", SimOptions, options)

    async def requests(
        self, *, call: str | None = None, account: str | None = None, after: int = 0
    ) -> list[RecordedRequest]:
        """The recorded requests in the order in which they came.

        Args:
            call: Call name or shell-style pattern; None is all.
            account: Id or email; None is all.
            after: Only requests with a greater id.
        """
        query = {"after": after} | ({"call": call} if call else {}) | ({"account": account} if account else {})
        return await self._call("GET", f"/requests?{urlencode(query)}", list[RecordedRequest])

    async def counters(self) -> Counters:
        """Sums since the start or the last reset."""
        return await self._call("GET", "/counters", Counters)

    async def jobs(self, *, account: str | None = None) -> list[JobView]:
        """Video jobs, oldest first."""
        query = f"?{urlencode({'account': account})}" if account else ""
        return await self._call("GET", f"/jobs{query}", list[JobView])

    async def reset(self, *, keep_accounts: bool = False) -> None:
        """Forgets jobs, media, faults, record and counters, and sets clock and options back as at the start.

        Args:
            keep_accounts: Keep accounts with their knobs, credentials and projects.
        """
        await self._call("POST", "/reset", dict[str, Any], {"keep_accounts": keep_accounts})

    async def _call(self, method: Any, path: str, answer: type[T], body: Any = None) -> T:
        if self._session is None:
            # The upgrade to h2c that curl offers by default makes strict servers drop the body.
            self._session = AsyncSession(http_version=CurlHttpVersion.V1_1, timeout=30, trust_env=False)
        data = None if body is None else msgspec.json.encode(body)
        response = await self._session.request(method, f"{self.base_url}/_sim{path}", data=data)
        if response.status_code >= 400:
            raise SimulatorControlError(msgspec.json.decode(response.content)["error"])
        return msgspec.json.decode(response.content, type=answer)


class SimulatorProcess:
    """The simulator as a child process on a free port of the loopback; an async context manager.

    It ends with the block, and by itself when this process dies.

    Args:
        accounts: How many accounts to start with.
        quick: Start with `QUICK` options, so that jobs end almost at once and media is tiny.
        port: Port to listen on; 0 takes a free one.
        start_timeout_s: How long it may take until it serves.
        **options: Fields of `SimOptions`, over those of ``quick``.
    """

    def __init__(
        self, *, accounts: int = 0, quick: bool = True, port: int = 0, start_timeout_s: float = 30.0, **options: Any
    ) -> None:
        self._accounts = accounts
        self._options = msgspec.convert((QUICK if quick else {}) | options, SimOptions)
        self._port = port
        self._start_timeout_s = start_timeout_s
        self._process: asyncio.subprocess.Process | None = None
        self._ready: ReadyFile | None = None
        self._control: SimulatorControl | None = None

    @property
    def ready(self) -> ReadyFile:
        """What the simulator told when it was up: its addresses and first accounts."""
        if self._ready is None:
            raise SimulatorControlError("The simulator is not running; enter its context first.")
        return self._ready

    @property
    def base_url(self) -> str:
        """Address of the process, without a path."""
        return self.ready.base_url

    @property
    def labs_base_url(self) -> str:
        """Base of the calls that take a session cookie."""
        return self.ready.labs_base_url

    @property
    def api_base_url(self) -> str:
        """Base of the calls that take a bearer token."""
        return self.ready.api_base_url

    @property
    def gemini_base_url(self) -> str:
        """Base of the Gemini API, without its version."""
        return self.ready.gemini_base_url

    @property
    def openai_base_url(self) -> str:
        """Base of the OpenAI-compatible host."""
        return self.ready.openai_base_url

    @property
    def control(self) -> SimulatorControl:
        """Client of the control API."""
        if self._control is None:
            raise SimulatorControlError("The simulator is not running; enter its context first.")
        return self._control

    @property
    def pid(self) -> int:
        """Process id of the child."""
        if self._process is None:
            raise SimulatorControlError("The simulator is not running; enter its context first.")
        return self._process.pid

    async def __aenter__(self) -> Self:
        with tempfile.TemporaryDirectory(prefix="flow2api-simulator-") as folder:
            ready_file = Path(folder) / "ready.json"
            options_file = Path(folder) / "options.json"
            await asyncio.to_thread(options_file.write_bytes, msgspec.json.encode(self._options))
            arguments = ["--port", str(self._port), "--ready-file", str(ready_file), "--options", str(options_file)]
            arguments += ["--demo-accounts", str(self._accounts), "--with-parent"]
            # The child finds the package where this process found it, installed or not.
            paths = [str(Path(flow2api.__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "flow2api.simulator", *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
            )
            try:
                self._ready = await asyncio.wait_for(self._wait_until_ready(ready_file), self._start_timeout_s)
            except BaseException:
                await self._stop()
                raise
        self._control = SimulatorControl(self._ready.base_url)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._control is not None:
            await self._control.aclose()
        await self._stop()
        self._control = self._ready = None

    async def _wait_until_ready(self, ready_file: Path) -> ReadyFile:
        assert self._process is not None
        while not await asyncio.to_thread(ready_file.exists):
            if self._process.returncode is not None:
                raise SimulatorControlError(f"The simulator ended with exit code {self._process.returncode}.")
            await asyncio.sleep(0.01)
        return msgspec.json.decode(await asyncio.to_thread(ready_file.read_bytes), type=ReadyFile)

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()
