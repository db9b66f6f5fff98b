import io

import pytest
from PIL import Image, ImageChops

from flow2api.simulator.drawing import Scene, draw_picture, draw_poster, paint, palette
from flow2api.simulator.motifs import FIGURES, OTHERS, cat, figure_for


def difference(first: Image.Image, second: Image.Image) -> float:
    """Mean difference of two pictures, 0 to 255."""
    histogram = ImageChops.difference(first.convert("L"), second.convert("L")).histogram()
    return sum(level * count for level, count in enumerate(histogram)) / sum(histogram)


def test_the_same_prompt_and_seed_give_the_same_bytes() -> None:
    assert draw_picture(Scene("a cat", 1, 344, 192)) == draw_picture(Scene("a cat", 1, 344, 192))


@pytest.mark.parametrize("other", [Scene("a boat", 1, 344, 192), Scene("a cat", 2, 344, 192)])
def test_another_prompt_or_seed_looks_different(other: Scene) -> None:
    assert difference(paint(Scene("a cat", 1, 344, 192)), paint(other)) > 5


def test_references_are_seen_in_the_picture() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), (255, 0, 0)).save(buffer, "PNG")
    plain, shown = paint(Scene("a cat", 1, 344, 192)), paint(Scene("a cat", 1, 344, 192, (buffer.getvalue(),)))
    assert difference(plain, shown) > 1
    reds = [1 for _, color in shown.getcolors(1 << 20) or [] if color == (255, 0, 0)]
    assert reds


def test_a_backdrop_takes_the_landscapes_place() -> None:
    red = Scene("x", 1, 8, 8)
    assert difference(paint(Scene("a cat", 1, 344, 192)), paint(Scene("a cat", 1, 344, 192, backdrop=red))) > 5


def test_undecodable_references_are_drawn_as_a_field() -> None:
    assert paint(Scene("a cat", 1, 344, 192, (b"garbage",))).size == (344, 192)


@pytest.mark.parametrize("prompt", ["", "x" * 3000, "héllo wörld", "日本の猫", "🚀", "line\nbreak\ttab"])
def test_any_prompt_can_be_drawn(prompt: str) -> None:
    assert Image.open(io.BytesIO(draw_picture(Scene(prompt, 1, 192, 344)))).size == (192, 344)


@pytest.mark.parametrize("size", [(48, 27), (16, 16), (1, 1), (2752, 1536)])
def test_any_size_can_be_drawn(size: tuple[int, int]) -> None:
    assert paint(Scene("a cat", 1, *size)).size == size


def test_a_poster_is_a_jpeg_of_the_size() -> None:
    poster = Image.open(io.BytesIO(draw_poster(Scene("a cat", 1, 320, 180))))
    assert (poster.format, poster.size) == ("JPEG", (320, 180))


def test_a_colour_that_is_named_is_the_figures() -> None:
    red, green, blue = palette(Scene("a red mug", 1, 10, 10)).main
    assert red > 2 * green
    assert red > 2 * blue


def test_a_word_of_the_prompt_picks_the_figure() -> None:
    assert figure_for("two Cats at night", 0) is cat
    assert figure_for("nothing known", 3) is OTHERS[3]


@pytest.mark.parametrize("word", FIGURES)
def test_every_figure_leaves_ink(word: str) -> None:
    assert paint(Scene(word, 1, 96, 96)).getcolors(1 << 20)
