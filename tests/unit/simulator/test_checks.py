import pytest

from flow2api.simulator.checks import complaint, mentions


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("Object contains unknown field `x`", 'Unknown name "x": Cannot find field.'),
        ("Object contains unknown field `x` - at `$.a[0]`", "Unknown name \"x\" at 'a[0]': Cannot find field."),
        ("Expected `int`, got `str` - at `$.seed`", "Invalid value. Expected `int`"),
    ],
)
def test_puts_problems_in_the_upstreams_words(problem: str, words: str) -> None:
    assert words in complaint(problem)


@pytest.mark.parametrize(
    ("prompt", "word", "found"),
    [
        ("An Unsafe prompt", "unsafe", True),
        ("unsafe", "unsafe", True),
        ("unsafely", "unsafe", False),
        ("anything", "", False),
        ("1+1?", "1+1", True),
    ],
)
def test_finds_whole_words_in_any_case(prompt: str, word: str, found: bool) -> None:
    assert mentions(prompt, word) is found
