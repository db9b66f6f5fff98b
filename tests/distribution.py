"""Which tests run in one process, and in which order the processes get them.

A file stays together, for its tests share what they start. So do all tests of a folder that share a server. Servers come first,
quick tests last, so that no process is left alone with a long file in the end.
"""

from pathlib import PurePosixPath
from typing import Any

import pytest

LONGEST_FIRST = (
    "e2e",
    "docs",
    "examples",
    "packaging",
    "integration",
    "security",
    "faults",
    "pool_week",
    "performance",
    "architecture",
    "contract",
    "unit",
)
SHARED_SERVER = (
    "tests/docs",
    "tests/faults",
    "tests/security",
    "tests/integration/admin_api",
    "tests/integration/flow",
    "tests/integration/simulator",
)
ERAS = ("2026-06", "seed")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    if config.getvalue("dist") not in ("load", "loadfile"):
        return None
    config.option.loadscopereorder = False  # the order is ours
    return _scheduling()(config, log)


def unit_of(nodeid: str) -> str:
    """What this test has to stay together with."""
    file, _, test = nodeid.partition("::")
    for folder in SHARED_SERVER:
        if file.startswith(f"{folder}/"):
            return folder
    if file.startswith("tests/e2e/"):
        for era in ERAS:
            if f"[{era}" in test:
                return f"tests/e2e, {era}"
    return file


def _rank(nodeid: str) -> int:
    parts = PurePosixPath(nodeid.partition("::")[0]).parts
    return next((rank for rank, name in enumerate(LONGEST_FIRST) if name in parts[:2]), len(LONGEST_FIRST))


def _scheduling() -> Any:
    """xdist has no types, and need not be installed."""
    from xdist.scheduler.loadfile import LoadFileScheduling  # type: ignore[import-untyped]

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return unit_of(nodeid)

        def remove_node(self, node: Any) -> str | None:
            """Forget a process that has ended; the test that ended it is not given to another.

            xdist would give it to every process that is started anew, up to four for each worker.
            """
            units: dict[str, dict[str, bool]] = self.assigned_work.pop(node)
            undone = [(unit, test) for unit in units.values() for test, is_done in unit.items() if not is_done]
            if not undone:
                return None
            unit, ended_it = undone[0]
            unit[ended_it] = True
            self.workqueue.update({name: tests for name, tests in units.items() if not all(tests.values())})
            for other in self.nodes:
                self._reschedule(other)
            return ended_it

    return Scheduling
