"""The domain is tested in virtual time."""

from collections.abc import Callable, Mapping

import pytest

from flow2api.testing.fakes.virtual_time import VirtualTimeLoop


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], VirtualTimeLoop]]:
    return {"virtual-time": VirtualTimeLoop}
