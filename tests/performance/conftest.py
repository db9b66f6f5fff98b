"""What the rows of docs/explanation/performance.md promise in counts and ratios; `bench/` measures the others.

Row 11 stands in tests/faults/test_threads.py, where a server runs. Counts do not depend on how busy the machine is; where only
time can tell, the bounds are wide.
"""

import asyncio
from collections.abc import Callable, Mapping

import pytest

from flow2api.testing.fakes.virtual_time import VirtualTimeLoop
from tests.unit.domain.usecases.stage import Stage

WITH_THREADS = {"test_database_work.py"}
"""Virtual time would pass while a thread works."""


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.path.name in WITH_THREADS:
        return {"real-time": asyncio.new_event_loop}
    return {"virtual-time": VirtualTimeLoop}


@pytest.fixture
async def stage() -> Stage:
    return Stage()
