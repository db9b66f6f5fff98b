"""What a model costs, in words."""

from dataclasses import replace

import pytest

from flow2api.adapters.console.playground.models import price
from flow2api.domain.account import Tier
from flow2api.domain.catalog import CostUnit, ModelCatalog
from flow2api.testing.factories import picture_spec


@pytest.mark.parametrize(
    ("costs", "unit", "words"),
    [
        ({}, CostUnit.CREDITS, "no credits"),
        ({Tier.FREE: 0}, CostUnit.USD_MILLIS, "no credits"),
        ({Tier.FREE: 1}, CostUnit.CREDITS, "1 credit"),
        ({Tier.FREE: 20, Tier.PRO: 20}, CostUnit.CREDITS, "20 credits"),
        ({Tier.FREE: 20, Tier.ULTRA: 10}, CostUnit.CREDITS, "10 to 20 credits, by plan"),
        ({Tier.FREE: 67}, CostUnit.USD_MILLIS, "about 0.067 US dollars"),
    ],
)
def test_price_is_told_in_the_unit_of_the_model(costs: dict[Tier, int], unit: CostUnit, words: str) -> None:
    (described,) = ModelCatalog([picture_spec("m")]).listed()

    assert price(replace(described, costs=costs, cost_unit=unit)) == words
