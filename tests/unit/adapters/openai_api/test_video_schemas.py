"""The few words and sizes that strict clients know."""

from dataclasses import replace

import pytest

from flow2api.adapters.openai_api.video_schemas import nearest_standard_size, poll_after_ms
from flow2api.domain.generation import Generation
from flow2api.domain.media import MediaKind
from flow2api.domain.waiting_line import Turn
from flow2api.testing.fakes.clock import START


@pytest.mark.parametrize(
    ("size", "echoed"),
    [
        ("1280x720", "1280x720"),
        ("720x1280", "720x1280"),
        ("1920x1080", "1792x1024"),
        ("1080x1920", "1024x1792"),
        ("3840x2160", "1792x1024"),
        ("1792x1024", "1792x1024"),
        ("640x360", "1280x720"),
        ("", "720x1280"),
        ("0x0", "720x1280"),
        ("wide", "720x1280"),
        ("1024x1024", "1024x1792"),
    ],
)
def test_echoes_the_nearest_standard_size(size: str, echoed: str) -> None:
    assert nearest_standard_size(size) == echoed


def test_clients_are_sent_away_longer_while_there_is_little_to_see() -> None:
    young = Generation(
        id="video_1", key_id=1, kind=MediaKind.VIDEO, model="m", spec_name="s", prompt="p", created_at=START
    )
    assert poll_after_ms(young, 3.0) == 6000
    assert poll_after_ms(replace(young, progress=80), 3.0) == 3000
    assert poll_after_ms(young, 0.01) == 1000
    assert poll_after_ms(young, 600) == 15_000


def test_clients_that_wait_are_sent_away_until_it_may_be_their_turn() -> None:
    young = Generation(
        id="video_1", key_id=1, kind=MediaKind.VIDEO, model="m", spec_name="s", prompt="p", created_at=START
    )
    assert poll_after_ms(young, 3.0, Turn(4, 12.5)) == 12_500
    assert poll_after_ms(young, 3.0, Turn(1, 0.2)) == 1000
    assert poll_after_ms(young, 3.0, Turn(400, 900.0)) == 30_000
    assert poll_after_ms(young, 3.0, Turn(4)) == 6000
