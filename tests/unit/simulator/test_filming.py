import io

import av
import pytest

from flow2api.simulator.drawing import Scene
from flow2api.simulator.filming import Film, film


def decoded(content: bytes) -> tuple[int, int, int, float, str, str]:
    """Width, height, frames, seconds and codecs of an MP4 that is decoded to its end."""
    with av.open(io.BytesIO(content), "r") as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        frames = len(list(container.decode(video)))
        seconds = float(video.duration or 0) * float(video.time_base or 0)
        assert video.average_rate == 24
        assert video.format.name == "yuv420p"
        return video.width, video.height, frames, seconds, video.codec.name, audio.codec.name


@pytest.mark.parametrize(("width", "height", "seconds"), [(128, 72, 4), (72, 128, 6), (64, 36, 0.5)])
def test_films_have_their_size_and_length_and_decode(width: int, height: int, seconds: float) -> None:
    content = film(Film((Scene("a cat", 1, width, height),), (seconds,)))
    assert decoded(content) == (width, height, round(seconds * 24), seconds, "h264", "aac")


def test_the_index_stands_before_the_data() -> None:
    content = film(Film((Scene("a cat", 1, 64, 36),), (0.5,)))
    assert content[4:8] == b"ftyp"
    assert content.index(b"moov") < content.index(b"mdat")


def test_several_scenes_follow_each_other() -> None:
    scenes = (Scene("a cat", 1, 64, 36), Scene("a dog", 1, 64, 36, backdrop=Scene("x", 1, 8, 8)))
    assert decoded(film(Film(scenes, (1.0, 0.5))))[2:4] == (36, 1.5)


def test_the_picture_moves() -> None:
    content = film(Film((Scene("a cat", 1, 128, 72),), (2,)))
    with av.open(io.BytesIO(content), "r") as container:
        frames = [bytes(frame.planes[0]) for frame in container.decode(video=0)]
    assert frames[0] != frames[20] != frames[40]


def test_the_figure_stands_in_the_landscape_without_a_box_around_it() -> None:
    content = film(Film((Scene("a red boat", 1, 320, 180),), (0.1,)))
    with av.open(io.BytesIO(content), "r") as container:
        frame = next(container.decode(video=0))
        levels = frame.to_image().convert("L").histogram()  # type: ignore[no-untyped-call]
    assert sum(levels[:12]) < 320 * 180 // 100


def test_large_films_repeat_what_was_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flow2api.simulator.filming.LOOPS", {64: 6})
    content = film(Film((Scene("a cat", 1, 64, 36),), (1,)))
    with av.open(io.BytesIO(content), "r") as container:
        frames = [bytes(frame.planes[0]) for frame in container.decode(video=0)]
    assert len(frames) == 24
    assert frames[0] == frames[6] == frames[18]
    assert frames[0] != frames[3]
