"""A test that hangs is one failed test: it ends with a traceback, and the run goes on.

pytest-timeout raises an alarm inside the test. Code may swallow its exception, so the alarm is repeated. Code that never comes
back to the interpreter hears no alarm at all: then the process ends, by itself, and another takes over what it had left.
"""

import faulthandler
import signal
from collections.abc import Generator
from typing import Any

import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key

AGAIN_S = 5.0
LAST_RESORT_S = 30.0
"""How long after the time-out of a test its process ends."""
LONGEST_RUN_S = 1800.0
"""How long all tests together may take before the process that hands them out ends, and the others with it."""


def pytest_sessionstart(session: pytest.Session) -> None:
    if _hands_out(session.config):
        _end_process_in(LONGEST_RUN_S, session.config)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _hands_out(session.config):
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_timeout_set_timer() -> Generator[None, Any, Any]:
    is_set = yield
    left_s, _ = signal.getitimer(signal.ITIMER_REAL)
    if left_s > 0:
        signal.setitimer(signal.ITIMER_REAL, left_s, AGAIN_S)
    return is_set


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, Any, Any]:
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


# pytest stops the clock when a step fails, therefore it is set anew for each.
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    _limit(item)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    _limit(item)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    _limit(item)


def _limit(item: pytest.Item) -> None:
    own = item.get_closest_marker("timeout")
    timeout_s = float(own.args[0] if own and own.args else item.config.getini("timeout"))
    _end_process_in(timeout_s + LAST_RESORT_S, item.config)


def _end_process_in(seconds: float, config: pytest.Config) -> None:
    faulthandler.dump_traceback_later(seconds, exit=True, file=config.stash[fault_handler_stderr_fd_key])


def _hands_out(config: pytest.Config) -> bool:
    """Whether this process gives tests to others, rather than running any."""
    return bool(getattr(config.option, "numprocesses", None)) and not hasattr(config, "workerinput")
