"""What a page is narrowed to stands in its address, and nothing else does."""

from datetime import timedelta

import pytest

from flow2api.adapters.console.generations.filters import LIVE, Filters
from flow2api.adapters.console.generations.names import Names
from flow2api.domain.generation import State
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import GenerationFilter
from flow2api.testing.samples import NOW, generation_of

NAMES = Names({7: "shop"}, lambda account_id: None)


def test_changed_filter_begins_at_the_first_page() -> None:
    filters = Filters(base=LIVE, state="failed", model="paint & more", after="gen_1")

    assert filters.path(kind="image") == f"{LIVE}?state=failed&model=paint+%26+more&kind=image"
    assert filters.path(state="", model="") == LIVE
    assert filters.path(after="gen_9").endswith("&after=gen_9")


def test_chips_tell_what_is_set_and_lead_to_the_page_without_it() -> None:
    filters = Filters(base=LIVE, key="7", key_id=7, account="9", account_id=9, span="1h")

    chips = filters.chips(NAMES)

    assert [one.value for one in chips] == ["removed (no. 9)", "shop", "last hour"]
    assert chips[1].without == f"{LIVE}?account=9&span=1h"
    assert not Filters(base=LIVE, state="failed").is_narrowed


def test_filter_asks_the_database_for_the_same_as_it_lets_pass_of_what_is_under_way() -> None:
    filters = Filters(base=LIVE, kind="image", model="paint", key="0", key_id=0, account="3", account_id=3, span="1h")

    wanted = filters.wanted(NOW, GenerationFilter(state=State.FAILED))

    assert wanted == GenerationFilter(
        state=State.FAILED,
        kind=MediaKind.IMAGE,
        model="paint",
        is_operators=True,
        account_id=3,
        since=NOW - timedelta(hours=1),
    )


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({}, True),
        ({"kind": MediaKind.VIDEO}, False),
        ({"model": "other"}, False),
        ({"key_id": 7}, False),
        ({"account_id": 4}, False),
        ({"created_at": NOW - timedelta(hours=2)}, False),
    ],
)
def test_what_is_under_way_passes_when_everything_fits(changes: dict[str, object], passes: bool) -> None:
    filters = Filters(base=LIVE, kind="image", model="paint", key="0", key_id=0, account="3", account_id=3, span="1h")
    fits = generation_of("gen_1").changed(
        kind=MediaKind.IMAGE, model="paint", key_id=None, account_id=3, created_at=NOW
    )

    assert filters.passes(fits.changed(**changes), NOW) is passes


def test_words_of_the_prompt_are_looked_for_in_every_state_until_one_is_chosen() -> None:
    filters = Filters(base=LIVE, q="Boat RED", span="1h")

    assert filters.is_search
    assert filters.is_narrowed
    assert not Filters(base=LIVE, q="boat", state="failed").is_search
    assert filters.path(state="failed") == f"{LIVE}?q=Boat+RED&span=1h&state=failed"
    assert filters.chips(NAMES)[0].without == f"{LIVE}?span=1h"
    assert Filters(base=LIVE, q="boat", kind="image", state="failed").unfiltered == f"{LIVE}?state=failed"
    one = generation_of("gen_1").changed(prompt="a red boat")
    assert Filters(base=LIVE, q="Boat RED").passes(one, NOW)
    assert not Filters(base=LIVE, q="boat house").passes(one, NOW)
