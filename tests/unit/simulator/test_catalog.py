import pytest

from flow2api.simulator.catalog import TIERS, load_model_keys, may_use
from flow2api.simulator.control_schema import Tier


def test_knows_the_keys_of_each_era() -> None:
    keys = load_model_keys()
    assert len(keys["seed"]) == 11
    assert "GEM_PIX" in keys["seed"]
    assert "NARWHAL" not in keys["seed"]
    assert "GEM_PIX" not in keys["2026-06"]
    assert keys["2026-06"]["veo_3_1_interpolation_lite"].frames == (2, 2)
    assert keys["2026-06"]["abra_r2v_8s"].references == 7
    assert keys["2026-06"]["veo_3_1_t2v_quality_4s"].seconds == 4


def test_every_ultra_key_needs_the_highest_tier() -> None:
    keys = load_model_keys()["2026-06"]
    assert {keys[name].tier for name in keys if "ultra" in name} == {"PAYGATE_TIER_TWO"}


@pytest.mark.parametrize("least", TIERS)
def test_a_higher_tier_may_use_what_a_lower_one_may(least: Tier) -> None:
    assert [may_use(tier, least) for tier in TIERS] == [TIERS.index(tier) >= TIERS.index(least) for tier in TIERS]
