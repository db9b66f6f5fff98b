"""Makes short films from scenes: real MP4 with H.264 and AAC, the index first, 24 pictures a second.

The landscape is painted once, larger than the frame, and FFmpeg's filters pan over it while the figure hops; so no
pixel of a frame is touched by Python.
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import av.filter
from av.audio.stream import AudioStream
from av.filter.context import FilterContext
from av.video.frame import PictureType
from av.video.stream import VideoStream
from PIL import Image

from flow2api.simulator.drawing import Scene, figure_place, paint_caption, paint_figure, paint_landscape

FPS = 24
AUDIO_RATE = 44_100
ENCODER = {"preset": "ultrafast", "tune": "zerolatency", "crf": "26", "g": "600"}
LOOPS = {3840: FPS, 1920: 3 * FPS}
"""Films this wide repeat so many encoded frames: encoding is what large ones cost."""
HOP_FRAMES = 24
MARGIN = 1.12
"""How much larger than the frame the landscape is."""
CHORDS = ((220.0, 277.18, 329.63), (196.0, 246.94, 293.66), (174.61, 220.0, 261.63), (146.83, 220.0, 293.66))


@dataclass(slots=True, frozen=True)
class Film:
    """Scenes of one size and how many seconds each is shown."""

    scenes: tuple[Scene, ...]
    seconds: tuple[float, ...]


def film(plan: Film) -> bytes:
    """A film as MP4."""
    first = plan.scenes[0]
    with tempfile.TemporaryDirectory(prefix="flow2api-film-") as folder:
        path = Path(folder) / "film.mp4"
        with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as output:
            video = output.add_stream("libx264", rate=FPS, options=ENCODER)
            video.width, video.height, video.pix_fmt = first.width, first.height, "yuv420p"
            video.codec_context.thread_count = 2
            audio = output.add_stream("aac", rate=AUDIO_RATE)
            audio.bit_rate = 64_000
            for packet in packets(plan, video, audio):
                output.mux(packet)
        return path.read_bytes()


def packets(plan: Film, video: VideoStream, audio: AudioStream) -> "Iterator[av.Packet[Any]]":
    """All packets of both streams, the sound first: it is small, and the muxer sorts them."""
    yield from sound(plan, audio)
    shown = 0
    for scene, seconds in zip(plan.scenes, plan.seconds, strict=True):
        count = max(1, round(seconds * FPS))
        loop = [encoded(frame, video) for frame in frames(scene, min(count, LOOPS.get(scene_rank(scene), count)))]
        for number in range(count):
            yield repeated(loop[number % len(loop)], shown + number, video)
        shown += count


def scene_rank(scene: Scene) -> int:
    """Which size class of `LOOPS` a scene falls in."""
    side = max(scene.width, scene.height)
    return next((limit for limit in LOOPS if side >= limit), 0)


def encoded(frame: av.VideoFrame, video: VideoStream) -> tuple[bytes, bool]:
    """The one packet of a frame and whether it is a key frame: the encoder looks neither ahead nor back."""
    if frame.pts == 0:
        frame.pict_type = PictureType.I
    frame.pts = None
    (packet,) = video.encode(frame)
    return bytes(packet), packet.is_keyframe


def repeated(entry: tuple[bytes, bool], number: int, video: VideoStream) -> "av.Packet[Any]":
    """An encoded frame as the frame of that number."""
    packet: av.Packet[Any] = av.Packet(entry[0])
    packet.stream, packet.time_base = video, Fraction(1, FPS)
    packet.pts = packet.dts = number
    packet.duration, packet.is_keyframe = 1, entry[1]
    return packet


def frames(scene: Scene, count: int) -> Iterator[av.VideoFrame]:
    """The frames of one scene, which ends where it began."""
    wide = paint_landscape(scene, even(scene.width * MARGIN), even(scene.height * MARGIN))
    stage = Stage()
    source = stage.source(wide, "yuv420p")
    x, y, turn = (wide.width - scene.width) / 2, (wide.height - scene.height) / 2, f"2*PI*n/{count}"
    top = stage.graph.add("crop", f"{scene.width}:{scene.height}:x='{x}*(1-cos({turn}))':y='{y}*(1+cos({turn}))'")
    source.link_to(top)
    if scene.backdrop is None:
        figure = paint_figure(scene)
        left, upper = figure_place(scene, figure.width)
        lift, hops = max(1, scene.height // 40), max(1, round(count / HOP_FRAMES))
        place = f"x='{left}+{lift}*sin({turn})':y='{upper}-{lift}*abs(sin({turn}*{hops}/2))'"
        top = stage.overlay(top, figure, place)
    caption = paint_caption(scene)
    top = stage.overlay(top, caption, f"x=0:y={scene.height - caption.height}")
    yield from stage.play(source, top, wide, count)


class Stage:
    """A filter graph with a moving ground and still sprites over it."""

    def __init__(self) -> None:
        self.graph = av.filter.Graph()
        self._sprites: list[tuple[FilterContext, Image.Image]] = []

    def source(self, picture: Image.Image, pixels: str) -> FilterContext:
        """A place where frames of a picture's size go in."""
        return self.graph.add_buffer(
            width=picture.width, height=picture.height, format=av.VideoFormat(pixels), time_base=Fraction(1, FPS)
        )

    def overlay(self, below: FilterContext, sprite: Image.Image, place: str) -> FilterContext:
        """A sprite over what is below; the filter repeats it."""
        source = self.source(sprite, "yuva420p")
        overlay = self.graph.add("overlay", f"{place}:eof_action=repeat:format=yuv420")
        below.link_to(overlay, 0, 0)
        source.link_to(overlay, 0, 1)
        self._sprites.append((source, sprite))
        return overlay

    def play(
        self, ground: FilterContext, top: FilterContext, picture: Image.Image, count: int
    ) -> Iterator[av.VideoFrame]:
        """Pushes the ground ``count`` times and gives what comes out."""
        sink = self.graph.add("buffersink")
        top.link_to(sink)
        self.graph.configure()
        for source, sprite in self._sprites:
            source.push(as_frame(sprite, "yuva420p"))
            source.push(None)
        base = as_frame(picture, "yuv420p")
        for number in range(count):
            base.pts = number
            ground.push(base)
            frame = sink.pull()
            if isinstance(frame, av.VideoFrame):
                yield frame


def as_frame(picture: Image.Image, pixels: str) -> av.VideoFrame:
    """A picture, with its transparency if it has one, as the first frame of a stream."""
    rgba = picture.convert("RGBA").tobytes()
    frame = av.VideoFrame.from_bytes(rgba, picture.width, picture.height, format="rgba").reformat(format=pixels)
    frame.pts, frame.time_base = 0, Fraction(1, FPS)
    return frame


def sound(plan: Film, stream: AudioStream) -> "Iterator[av.Packet[Any]]":
    """A quiet chord that swells and fades, chosen by the first scene."""
    length = sum(plan.seconds)
    chord = CHORDS[plan.scenes[0].chance().randrange(len(CHORDS))]
    tones = "+".join(f"0.06*sin(2*PI*{tone}*t)" for tone in chord)
    graph = av.filter.Graph()
    tone = graph.add("aevalsrc", f"exprs='({tones})*(0.6+0.4*sin(t))':s={AUDIO_RATE}:d={length}")
    fade = graph.add("afade", f"t=out:st={max(0.0, length - 0.6)}:d=0.6")
    shape = graph.add("aformat", "sample_fmts=fltp:channel_layouts=mono")
    sink = graph.add("abuffersink")
    tone.link_to(fade)
    fade.link_to(shape)
    shape.link_to(sink)
    graph.configure()
    while True:
        try:
            frame = sink.pull()
        except EOFError:
            break
        if isinstance(frame, av.AudioFrame):
            yield from stream.encode(frame)
    yield from stream.encode(None)


def even(length: float) -> int:
    """The nearest even length below."""
    return max(16, int(length) // 2 * 2)
