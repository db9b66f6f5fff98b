"""One server over the simulator for all tests of this folder that need one, with two keys."""

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import ACCOUNTS, OPTIONS
from tests.e2e.processes import Gateway, Simulator
from tests.security.wire import Wire


@pytest.fixture(scope="session")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with Simulator(tmp_path_factory.mktemp("simulator"), {**OPTIONS, "era": "2026-06"}, ACCOUNTS) as running:
        yield running


@pytest.fixture(scope="session")
def gateway(simulator: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("gateway"), simulator) as running:
        yield running


@pytest.fixture(scope="session")
def wire(gateway: Gateway) -> Wire:
    assert gateway.child is not None
    return Wire(gateway.port, gateway.key, gateway.child.pid)


@pytest.fixture(scope="session")
def other_key(gateway: Gateway) -> str:
    return gateway.make_key("somebody else")
