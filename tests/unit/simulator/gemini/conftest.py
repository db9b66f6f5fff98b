from collections.abc import AsyncIterator

import pytest

from tests.unit.simulator.gemini.gemini_player import GeminiPlayer


@pytest.fixture
async def player() -> AsyncIterator[GeminiPlayer]:
    player = GeminiPlayer(video_s=10)
    yield player
    player.world.renderer.close()
