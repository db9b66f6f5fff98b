"""Servers that need not read their modules first: a process that has done so becomes one server after another.

Reading them is three quarters of what a start costs, and the tests start dozens. What is forked is a process like any other:
it has its own id, its own memory and its own end. That the command itself starts is shown by ``test_start.py``, by the
tests of the command line, and by the servers that most tests of this folder share.
"""

import atexit
import importlib
import json
import os
import pkgutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, Self

from tests.e2e.with_parent import end_with, tied

LOOK_EVERY_S = 0.01
ROOT = Path(__file__).parents[2]


class Child:
    """A server of the nursery, held as if it had been started by this process."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self._nursery = nursery
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended: its exit code, or the number of a signal below zero; None while it runs."""
        if self.returncode is None:
            self.returncode = self._nursery.ask(end_of=self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """How it ended, once it has.

        Raises:
            subprocess.TimeoutExpired: It runs after so many seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(["serve"], timeout or 0)
            time.sleep(LOOK_EVERY_S)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that forks, which ends with this one."""

    def __init__(self) -> None:
        environment = {**os.environ}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = tied([sys.executable, "-m", __name__])
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
            bufsize=1,
            cwd=ROOT,
            start_new_session=True,  # Ctrl-C is for the tests, which end the servers in order
        )
        self.pid = self._process.pid
        self._turn = threading.Lock()
        self._asked = count(1)

    @classmethod
    @cache
    def of_this_process(cls) -> Self:
        """The one that all tests of a worker share. It ends with the thread that asks first, which is to be the tests' own."""
        nursery = cls()
        atexit.register(nursery.close)
        return nursery

    def close(self) -> None:
        """Nobody asks it any more: it ends, and what it still runs with it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def start(self, arguments: list[str], environment: Mapping[str, str], log: Path) -> Child:
        """The command line, run with these arguments as a process with this environment alone."""
        return Child(self, self.ask(arguments=arguments, environment=dict(environment), log=str(log)))

    def ask(self, **request: Any) -> Any:
        """What the process answers. One whose caller was interrupted, as by a time-out, is passed over by the next."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._turn:
            number = next(self._asked)
            with suppress(BrokenPipeError):
                self._process.stdin.write(json.dumps([number, request]) + "\n")
            for line in iter(self._process.stdout.readline, ""):
                answered, answer = json.loads(line)
                if answered == number:
                    return answer
        raise AssertionError(f"The process that forks servers has ended: {self._process.wait()}.")


def attend() -> list[str]:
    """Fork whenever that is asked for, until nobody can ask any more; returns in each child, with its arguments."""
    ends: dict[int, int] = {}
    for line in iter(sys.stdin.readline, ""):
        number, request = json.loads(line)
        if "end_of" in request:
            answer = _end_of(request["end_of"], ends)
        else:
            nursery = os.getpid()
            answer = os.fork()
            if answer == 0:
                return _born(nursery, **request)
            ends.pop(answer, None)
        print(json.dumps([number, answer]), flush=True)
    sys.exit()


def _end_of(child: int, ends: dict[int, int]) -> int | None:
    """How a child ended, as often as that is asked; None while it runs."""
    if child not in ends:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            ends[child] = os.waitstatus_to_exitcode(status)
    return ends.get(child)


def _born(nursery: int, arguments: list[str], environment: dict[str, str], log: str) -> list[str]:
    end_with(nursery)
    os.setsid()
    output, nothing = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666), os.open(os.devnull, os.O_RDONLY)
    for theirs, ours in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(theirs, ours)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    return arguments


def read_modules() -> None:
    """Import what a server imports sooner or later, and make nothing of it: no thread and no log would outlive a fork."""
    import litestar

    import flow2api
    from flow2api.cli import main  # noqa: F401

    for package in ("adapters", "app", "cli", "plugins"):
        for module in pkgutil.walk_packages([f"{flow2api.__path__[0]}/{package}"], f"flow2api.{package}."):
            importlib.import_module(module.name)
    litestar.Litestar([], logging_config=None)  # it imports the rest of itself when there is an application


if __name__ == "__main__":
    read_modules()
    from flow2api.cli import main

    sys.argv = ["flow2api", *attend()]
    main()
