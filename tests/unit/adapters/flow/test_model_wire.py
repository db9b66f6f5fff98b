from typing import Any

import pytest

from flow2api.adapters.flow.model_wire import ModelWire, later_key, read_wire, video_task
from flow2api.domain.account import Tier
from flow2api.domain.catalog import AspectRatio, Mode, ModelSpec, Size
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.generation import InputRole, Order, Product, Stage
from flow2api.domain.media import MediaKind

FRAMES = {
    "keys": {"2026-06": "i2v_fl"},
    "aspect": "VIDEO_ASPECT_RATIO_LANDSCAPE",
    "mode": "i2v",
    "key_by_tier": {"PRO": "i2v_fl", "ULTRA": "i2v_ultra_fl"},
    "single_image_key": "i2v",
    "single_image_key_by_tier": {"PRO": "i2v", "ULTRA": "i2v_ultra"},
    "enlarge": {"target": "VIDEO_RESOLUTION_4K", "key": "upsampler_4k"},
}


def spec(wire: dict[str, Any]) -> ModelSpec:
    ratio, size = AspectRatio(16, 9), Size(1280, 720)
    return ModelSpec(
        name="m",
        upstream="flow",
        kind=MediaKind.VIDEO,
        mode=Mode.FRAMES,
        line="",
        aspect_ratio=ratio,
        size=size,
        wire=wire,
    )


def order(*roles: InputRole, wire: dict[str, Any] = FRAMES, **fields: Any) -> Order:
    return Order(spec=spec(wire), prompt="p", inputs=tuple((role, role.value) for role in roles), **fields)


@pytest.mark.parametrize(
    ("given", "task"),
    [
        (order(), "text"),
        (order(InputRole.START), "start"),
        (order(InputRole.START, InputRole.END), "start_end"),
        (order(InputRole.REFERENCE), "references"),
        (order(stage=Stage.ENLARGE, source=Product("x")), "enlarge"),
        (order(wire=FRAMES | {"mode": "extend"}), "extend"),
    ],
)
def test_task_follows_from_what_goes_in(given: Order, task: str) -> None:
    assert video_task(given, read_wire(given.spec)) == task


@pytest.mark.parametrize(
    ("task", "tier", "key"),
    [
        ("start_end", Tier.FREE, "i2v_fl"),
        ("start_end", Tier.PRO, "i2v_fl"),
        ("start_end", Tier.ULTRA, "i2v_ultra_fl"),
        ("start", Tier.FREE, "i2v"),
        ("start", Tier.ULTRA, "i2v_ultra"),
        ("references", Tier.PRO, "i2v_fl"),
        ("enlarge", Tier.ULTRA, "upsampler_4k"),
    ],
)
def test_key_follows_from_task_and_tier(task: Any, tier: Tier, key: str) -> None:
    assert later_key(read_wire(spec(FRAMES)), "2026-06", task, tier) == key


def test_references_have_a_key_of_their_own_where_there_is_one() -> None:
    wire = ModelWire(keys={"2026-06": "t2v"}, aspect="", mode="omni", reference_key="r2v")

    assert later_key(wire, "2026-06", "references", Tier.PRO) == "r2v"
    assert later_key(wire, "2026-06", "text", Tier.PRO) == "t2v"


def test_wire_of_a_careless_plugin_is_named() -> None:
    with pytest.raises(ConfigurationError, match="'m'"):
        read_wire(spec({"keys": "no mapping"}))
