import pytest

from tests.unit.domain.usecases.stage import Stage


@pytest.fixture
async def stage() -> Stage:
    return Stage()
