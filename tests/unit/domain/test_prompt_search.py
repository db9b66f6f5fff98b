"""Words are looked for wherever they stand, and a page tells how far the look came."""

import pytest

from flow2api.domain.prompt_search import (
    LONGEST_TEXT,
    MOST_WORDS,
    FoundGenerations,
    found_among,
    has_words,
    words_of,
)
from flow2api.testing.samples import generation_of

MADE = [generation_of(f"gen_{at}", after_s=at) for at in (3, 2, 1)]


def test_text_is_taken_apart_into_a_few_different_words() -> None:
    assert words_of("  red\n boat red ") == ("red", "boat")
    assert words_of(" ") == ()
    assert len(words_of(" ".join(map(str, range(99))))) == MOST_WORDS
    assert words_of("x" * 999) == ("x" * LONGEST_TEXT,)


@pytest.mark.parametrize(
    ("words", "has"),
    [(["RED", "bo"], True), (["boat", "red"], True), (["red", "house"], False), (["straße"], True), ([], True)],
)
def test_prompt_has_all_of_the_words(words: list[str], has: bool) -> None:
    assert has_words("A red boat in the STRASSE", words) is has


def test_page_goes_on_where_the_look_ended() -> None:
    def page(found: list[int], limit: int, *, is_back: bool = False, has_more: bool = False) -> FoundGenerations:
        return found_among(MADE, [MADE[at] for at in found], limit, is_back=is_back, has_more=has_more)

    assert page([0, 1], 5) == FoundGenerations((MADE[0], MADE[1]), None, MADE[2].created_at)
    assert page([0], 5, has_more=True) == FoundGenerations((MADE[0],), "gen_1", MADE[2].created_at)
    assert page([0, 2], 1) == FoundGenerations((MADE[0],), "gen_3", MADE[0].created_at)
    assert page([0, 2], 1, is_back=True) == FoundGenerations((MADE[2],), "gen_1", MADE[2].created_at)
    assert page([0], 5, is_back=True, has_more=True) == FoundGenerations((MADE[0],), "gen_3", MADE[0].created_at)
    assert found_among([], [], 5, is_back=False, has_more=False) == FoundGenerations((), None, None)
