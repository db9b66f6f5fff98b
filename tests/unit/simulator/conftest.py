from collections.abc import AsyncIterator

import pytest

from tests.unit.simulator.player import Player


@pytest.fixture
async def player() -> AsyncIterator[Player]:
    """A signed-in player of the 2026-06 era."""
    player = await Player().sign_in()
    yield player
    player.world.renderer.close()


@pytest.fixture
async def seed_player() -> AsyncIterator[Player]:
    """A signed-in player of the seed era."""
    player = await Player(era="seed").sign_in()
    yield player
    player.world.renderer.close()
