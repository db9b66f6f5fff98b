"""Which sibling of a line serves: parameters over the name, the nearest where nothing fits, and never silently."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow2api.domain.catalog import (
    FOUR_THREE,
    LANDSCAPE,
    PORTRAIT,
    SQUARE,
    THREE_FOUR,
    AspectRatio,
    BaseName,
    Mode,
    ModelCatalog,
    ModelSpec,
    Size,
    Wish,
)
from flow2api.domain.media import MediaKind

RATIOS = {
    "landscape": (LANDSCAPE, Size(1376, 768)),
    "portrait": (PORTRAIT, Size(768, 1376)),
    "square": (SQUARE, Size(1024, 1024)),
    "four-three": (FOUR_THREE, Size(1184, 864)),
    "three-four": (THREE_FOUR, Size(864, 1184)),
}


def pictures() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="-".join(filter(None, ("paint", word, resolution))), upstream="flow", kind=MediaKind.IMAGE,
            mode=Mode.TEXT, line="paint", aspect_ratio=ratio, resolution=resolution, max_images=10,
            size=Size(size.width * scale, size.height * scale),
        )
        for (word, (ratio, size)), (resolution, scale) in product(
            RATIOS.items(), ((None, 1), ("2k", 2), ("4k", 4))
        )
    ]  # fmt: skip


def videos() -> list[ModelSpec]:
    return [
        ModelSpec(
            name="-".join(filter(None, ("film", word, f"{seconds}s", resolution))), upstream="flow",
            kind=MediaKind.VIDEO, mode=Mode.TEXT, line="film", aspect_ratio=ratio, resolution=resolution,
            seconds=seconds, size=size,
        )
        for word, ratio, size in (("landscape", LANDSCAPE, Size(1280, 720)), ("portrait", PORTRAIT, Size(720, 1280)))
        for seconds, resolution in ((8, None), (4, None), (6, None), (8, "4k"))
    ]  # fmt: skip


CATALOG = ModelCatalog([*pictures(), *videos(), BaseName("paint", "paint"), BaseName("film", "film", seconds=8)])


def serving(name: str, wish: Wish) -> str:
    return CATALOG.resolve(name, wish).spec.name


@pytest.mark.parametrize(
    ("name", "wish", "expected"),
    [
        ("paint", Wish(), "paint-landscape"),
        ("paint", Wish(aspect_ratio=SQUARE), "paint-square"),
        ("paint", Wish(size=Size(1024, 1024)), "paint-square"),
        ("paint", Wish(size=Size(1376, 768)), "paint-landscape"),
        ("paint", Wish(size=Size(5504, 3072)), "paint-landscape-4k"),
        ("paint", Wish(size=Size(2048, 2048)), "paint-square-2k"),
        ("paint-landscape", Wish(size=Size(2048, 2048)), "paint-square-2k"),
        ("paint", Wish(size=Size(5504, 3072), resolution="2k", soft_resolution=True), "paint-landscape-4k"),
        ("paint", Wish(resolution="2k"), "paint-landscape-2k"),
        ("paint", Wish(resolution="1k"), "paint-landscape"),
        ("paint", Wish(aspect_ratio=THREE_FOUR, resolution="4k"), "paint-three-four-4k"),
        ("film", Wish(), "film-landscape-8s"),
        ("film", Wish(seconds=4, aspect_ratio=PORTRAIT), "film-portrait-4s"),
        ("film", Wish(resolution="4k"), "film-landscape-8s-4k"),
        ("film", Wish(resolution="720p"), "film-landscape-8s"),
        ("film", Wish(size=Size(720, 1280)), "film-portrait-8s"),
        # a parameter wins over what the name says
        ("paint-landscape", Wish(aspect_ratio=SQUARE), "paint-square"),
        ("paint-square-2k", Wish(resolution="1k"), "paint-square"),
        ("paint-square-2k", Wish(aspect_ratio=PORTRAIT), "paint-portrait-2k"),
        ("film-portrait-4s", Wish(seconds=6), "film-portrait-6s"),
        ("film-landscape-8s-4k", Wish(aspect_ratio=PORTRAIT), "film-portrait-8s-4k"),
        # the first picture decides where nothing else does
        ("paint", Wish(pictures=1, picture_ratio=0.74), "paint-three-four"),
        ("paint", Wish(pictures=1, picture_ratio=0.74, aspect_ratio=SQUARE), "paint-square"),
        ("paint-landscape", Wish(pictures=1, picture_ratio=0.74), "paint-landscape"),
        ("film", Wish(picture_ratio=0.9), "film-portrait-8s"),
        ("film", Wish(picture_ratio=1.0), "film-landscape-8s"),
    ],
)
def test_exact_sibling_serves_without_a_word(name: str, wish: Wish, expected: str) -> None:
    found = CATALOG.resolve(name, wish)
    assert (found.spec.name, found.warnings) == (expected, ())


@pytest.mark.parametrize(
    ("name", "wish", "expected", "warning"),
    [
        ("paint", Wish(aspect_ratio=AspectRatio(21, 9)), "paint-landscape", "paint does not make the aspect ratio 21:9; 16:9 is used."),
        ("paint", Wish(aspect_ratio=AspectRatio(2, 3)), "paint-three-four", "paint does not make the aspect ratio 2:3; 3:4 is used."),
        ("film", Wish(aspect_ratio=SQUARE), "film-landscape-8s", "film does not make the aspect ratio 1:1; 16:9 is used."),
        ("paint", Wish(size=Size(512, 512)), "paint-square", "paint makes 1024x1024 where the size 512x512 is asked for."),
        (
            "paint",
            Wish(size=Size(3840, 2160)),
            "paint-landscape",
            "paint makes 1376x768 where the size 3840x2160 is asked for; a resolution of 2k or 4k has more pixels.",
        ),
        ("film", Wish(seconds=12), "film-landscape-8s", "film does not make videos of 12 s; 8 s are made."),
        ("film", Wish(seconds=1), "film-landscape-4s", "film does not make videos of 1 s; 4 s are made."),
        ("film", Wish(seconds=5), "film-landscape-6s", "film does not make videos of 5 s; 6 s are made."),
        ("film", Wish(resolution="1080p"), "film-landscape-8s", "film does not make the resolution 1080p; it is ignored, and 1280x720 is made."),
        ("film", Wish(resolution="2k"), "film-landscape-8s", "film does not make the resolution 2k; it is ignored, and 1280x720 is made."),
        ("paint", Wish(resolution="720p"), "paint-landscape", "paint does not make the resolution 720p; it is ignored, and 1376x768 is made."),
        ("paint", Wish(seconds=4), "paint-landscape", "paint makes pictures; the length of 4 s is ignored."),
        ("film", Wish(seconds=4, resolution="4k"), "film-landscape-8s-4k", "film does not make videos of 4 s; 8 s are made."),
        (
            "film-portrait-4s",
            Wish(resolution="4k"),
            "film-portrait-8s-4k",
            "The parameters leave nothing of the length that film-portrait-4s stands for; 8 s are made.",
        ),
        (
            "film-landscape-8s-4k",
            Wish(seconds=6),
            "film-landscape-6s",
            "The parameters leave nothing at the resolution that film-landscape-8s-4k stands for; 1280x720 is made.",
        ),
    ],
)  # fmt: skip
def test_nearest_sibling_serves_and_says_so(name: str, wish: Wish, expected: str, warning: str) -> None:
    found = CATALOG.resolve(name, wish)
    assert (found.spec.name, found.warnings) == (expected, (warning,))


def test_ratio_of_the_name_is_not_given_up_silently() -> None:
    line = [spec for spec in videos() if spec.name != "film-portrait-8s-4k"]
    found = ModelCatalog(line).resolve("film-portrait-8s", Wish(resolution="4k"))
    assert found.spec.name == "film-landscape-8s-4k"
    assert found.warnings == (
        "The parameters leave nothing in the aspect ratio that film-portrait-8s stands for; 16:9 is used.",
    )


def test_several_differences_are_all_told() -> None:
    found = CATALOG.resolve("film", Wish(aspect_ratio=SQUARE, seconds=60, resolution="1080p"))
    assert len(found.warnings) == 3


ratios = st.builds(AspectRatio.of, st.integers(1, 40), st.integers(1, 40))
wishes = st.builds(
    Wish,
    aspect_ratio=st.none() | ratios,
    size=st.none() | st.builds(Size, st.integers(64, 8192), st.integers(64, 8192)),
    resolution=st.sampled_from((None, "1k", "2k", "4k", "720p", "1080p")),
    soft_resolution=st.booleans(),
    seconds=st.none() | st.integers(1, 60),
    picture_ratio=st.none() | st.floats(0.1, 10),
)
names = st.sampled_from([described.id for described in CATALOG.listed()])


@given(name=names, wish=wishes)
def test_whatever_is_not_made_as_asked_is_told(name: str, wish: Wish) -> None:
    found = CATALOG.resolve(name, wish)
    spec = found.spec
    silent = not found.warnings
    if wish.aspect_ratio is not None:
        assert not silent or spec.aspect_ratio == wish.aspect_ratio
    elif wish.size is not None:
        assert not silent or spec.size == wish.size
    if wish.seconds is not None:
        assert not silent or spec.seconds == wish.seconds
    if wish.resolution is not None and not wish.soft_resolution:
        native = wish.resolution == ("1k" if spec.kind is MediaKind.IMAGE else "720p")
        assert not silent or spec.resolution == (None if native else wish.resolution)


@given(name=names, wish=wishes)
def test_resolving_stays_in_the_line_and_always_answers_alike(name: str, wish: Wish) -> None:
    found = CATALOG.resolve(name, wish)
    assert name.startswith(found.spec.line)
    assert CATALOG.resolve(name, wish) == found
    assert ModelCatalog(CATALOG.specs()).resolve(found.spec.name, Wish()).spec == found.spec


@given(name=names, wish=wishes)
def test_nothing_in_the_line_has_a_nearer_ratio(name: str, wish: Wish) -> None:
    wanted = wish.ratio
    if wanted is None:
        return
    spec = CATALOG.resolve(name, wish).spec

    def off(ratio: AspectRatio) -> float:
        return max(ratio.value / wanted, wanted / ratio.value)

    assert all(
        off(spec.aspect_ratio) <= off(other.aspect_ratio) + 1e-6 for other in CATALOG.specs() if other.line == spec.line
    )


def brushes() -> list[ModelSpec]:
    """A line that has quality as something of its own; the first word is what is made when none is asked for."""
    return [
        ModelSpec(
            name="-".join(filter(None, ("brush", word, quality if quality != "medium" else None))), upstream="far",
            kind=MediaKind.IMAGE, mode=Mode.TEXT, line="brush", aspect_ratio=RATIOS[word][0], size=RATIOS[word][1],
            quality=quality,
        )
        for word, quality in product(("square", "landscape"), ("medium", "low", "high"))
    ]  # fmt: skip


BRUSHES = ModelCatalog([BaseName("brush", "brush"), *brushes()])


@pytest.mark.parametrize(
    ("name", "wish", "chosen", "told"),
    [
        ("brush", Wish(), "brush-landscape", ()),
        ("brush", Wish(quality="low"), "brush-landscape-low", ()),
        ("brush", Wish(quality="high", resolution="4k", soft_resolution=True), "brush-landscape-high", ()),
        ("brush", Wish(quality="max"), "brush-landscape-high", ("brush does not make the quality max; high is used.",)),
        ("brush-square-low", Wish(), "brush-square-low", ()),
        ("brush-square-low", Wish(aspect_ratio=LANDSCAPE), "brush-landscape-low", ()),
        ("brush-square-low", Wish(quality="high"), "brush-square-high", ()),
    ],
)
def test_quality_is_a_choice_of_its_own_where_a_line_has_it(
    name: str, wish: Wish, chosen: str, told: tuple[str, ...]
) -> None:
    found = BRUSHES.resolve(name, wish)
    assert (found.spec.name, found.warnings) == (chosen, told)


def test_resolution_that_is_asked_for_beside_a_quality_is_told_as_ignored() -> None:
    found = BRUSHES.resolve("brush", Wish(quality="low", resolution="2k"))
    assert found.spec.name == "brush-landscape-low"
    assert found.warnings == ("brush does not make the resolution 2k; it is ignored, and 1376x768 is made.",)


def test_between_two_qualities_the_lower_one_is_made() -> None:
    only = ModelCatalog(spec for spec in brushes() if spec.quality != "medium")
    assert only.resolve("brush-square-high", Wish(quality="medium")).spec.name == "brush-square-low"


def test_quality_says_nothing_to_a_line_that_has_none() -> None:
    assert CATALOG.resolve("paint", Wish(quality="low")) == CATALOG.resolve("paint", Wish())


def test_qualities_are_told_the_least_first() -> None:
    described = BRUSHES.describe("brush")
    assert described is not None
    assert described.qualities == ("low", "medium", "high")
