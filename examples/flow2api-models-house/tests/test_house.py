"""House names lead to models of Flow, and collide with none."""

import pytest
from flow2api_house import entries_of, register_models

from flow2api.domain.account import Tier
from flow2api.domain.catalog import PORTRAIT, Alias, ModelCatalog, ModelSpec, Wish
from flow2api.domain.errors import PluginError
from flow2api.plugins import models_flow

HOUSE = tuple(register_models())
CATALOG = ModelCatalog((*models_flow.register_models(), *HOUSE))


@pytest.mark.parametrize("name", ["poster", "banner", "avatar", "story", "poster-print"])
def test_every_name_leads_to_a_model(name: str) -> None:
    assert CATALOG.resolve(name, Wish()).spec.upstream == "flow"


def test_name_keeps_its_ratio() -> None:
    assert CATALOG.resolve("poster", Wish()).spec.aspect_ratio == PORTRAIT
    assert CATALOG.resolve("story", Wish()).spec.aspect_ratio == PORTRAIT


def test_story_takes_frames_and_references() -> None:
    names = {CATALOG.resolve("story", Wish(pictures=count)).spec.name for count in (0, 1, 3)}

    assert len(names) == 3


def test_model_of_its_own_has_its_own_price_and_plan() -> None:
    spec = CATALOG.resolve("poster-print", Wish()).spec

    assert (spec.name, spec.min_tier) == ("poster-print", Tier.PRO)
    assert (spec.cost(Tier.PRO), spec.cost(Tier.ULTRA)) == (5, 3)
    assert spec.wire == CATALOG.resolve("gemini-3.0-pro-image-portrait-4k", Wish()).spec.wire


def test_no_name_is_taken_by_flow() -> None:
    taken = {entry.name for entry in models_flow.register_models()}

    assert {entry.name for entry in HOUSE} & taken == set()
    assert {type(entry) for entry in HOUSE} == {Alias, ModelSpec}


def test_model_made_of_an_unknown_one_is_refused_with_both_names() -> None:
    table = {"aliases": {}, "by_inputs": {}, "sizes": {"mine": {"of": "nothing", "costs": {}, "min_tier": "free"}}}

    with pytest.raises(PluginError, match=r"'mine'.*'nothing'"):
        list(entries_of(table))
