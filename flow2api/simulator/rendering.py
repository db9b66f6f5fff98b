"""Media bytes on demand: drawn off the event loop, once, and kept for a while."""

import asyncio
import zlib
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from flow2api.simulator.control_schema import SimOptions
from flow2api.simulator.drawing import Scene, draw_picture, draw_poster
from flow2api.simulator.filming import Film, film
from flow2api.simulator.media import MediaItem

KEPT_BYTES = 96 * 1024 * 1024
SMALL_WIDTH, SMALL_VIDEO_S = 48, 0.5
JPEG_HEAD = b"\xff\xd8"
PNG_HEAD_BYTES = 8 + 25
"""Signature and header chunk of a PNG."""


@dataclass(slots=True)
class Renderer:
    """Draws what a media item says, with two threads, and keeps the last results."""

    kept: "OrderedDict[tuple[object, ...], bytes]" = field(default_factory=OrderedDict)
    kept_bytes: int = 0
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, thread_name_prefix="render"))
    _running: "dict[tuple[object, ...], asyncio.Future[bytes]]" = field(default_factory=dict)

    async def picture(self, item: MediaItem, options: SimOptions, *, scale: int = 1) -> bytes:
        """A picture (or its upscale by a whole factor) as JPEG or PNG."""
        kind = options.picture_format if scale == 1 else "jpeg"
        if options.media == "small":
            scene = Scene("small", 0, SMALL_WIDTH, SMALL_WIDTH * item.height // max(1, item.width))
            plain = await self._once(("picture", item.ratio, kind), lambda: draw_picture(scene, kind))
            return marked(plain, f"{item.key}/{scale}".encode())
        scene = scene_of(item, item.width * scale, item.height * scale)
        return await self._once(("picture", item.key, scale, kind), lambda: draw_picture(scene, kind))

    async def poster(self, item: MediaItem, options: SimOptions) -> bytes:
        """The thumbnail of a video as JPEG."""
        if options.media == "small":
            return await self.picture(item, options)
        width = 640 if item.width > item.height else 360
        scene = scene_of(item, width, width * item.height // item.width)
        return await self._once(("poster", item.key), lambda: draw_poster(scene))

    async def video(self, item: MediaItem, options: SimOptions) -> bytes:
        """A video as MP4."""
        if options.media == "small":
            wide = item.width > item.height
            scene = Scene("small", 0, *((64, 36) if wide else (36, 64)))
            plain = await self._once(("video", item.ratio), lambda: film(Film((scene,), (SMALL_VIDEO_S,))))
            return marked(plain, item.key.encode())
        width, height = even(item.width * options.video_scale), even(item.height * options.video_scale)
        plan = film_of(item, float(item.seconds), width, height)
        return await self._once(("video", item.key, width, height), lambda: film(plan))

    def close(self) -> None:
        """Lets the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _once(self, key: tuple[object, ...], render: Callable[[], bytes]) -> bytes:
        if (content := self.kept.get(key)) is not None:
            self.kept.move_to_end(key)
            return content
        if (running := self._running.get(key)) is None:
            running = asyncio.get_running_loop().run_in_executor(self._pool, render)
            self._running[key] = running
            running.add_done_callback(lambda _: self._running.pop(key, None))
        content = await asyncio.shield(running)
        self._keep(key, content)
        return content

    def _keep(self, key: tuple[object, ...], content: bytes) -> None:
        if key not in self.kept:
            self.kept[key] = content
            self.kept_bytes += len(content)
        while self.kept_bytes > KEPT_BYTES and len(self.kept) > 1:
            _, oldest = self.kept.popitem(last=False)
            self.kept_bytes -= len(oldest)


def marked(media: bytes, mark: bytes) -> bytes:
    """A JPEG, PNG or MP4 with a comment in it, so that its bytes are like no other's, as those of real media are."""
    if media.startswith(JPEG_HEAD):
        return JPEG_HEAD + b"\xff\xfe" + (len(mark) + 2).to_bytes(2, "big") + mark + media[len(JPEG_HEAD) :]
    if media.startswith(b"\x89PNG"):
        text = b"tEXtComment\0" + mark
        chunk = (len(text) - 4).to_bytes(4, "big") + text + zlib.crc32(text).to_bytes(4, "big")
        return media[:PNG_HEAD_BYTES] + chunk + media[PNG_HEAD_BYTES:]
    return media + (len(mark) + 8).to_bytes(4, "big") + b"free" + mark


def film_of(item: MediaItem, seconds: float, width: int, height: int) -> Film:
    """What a video shows: its prompt, the frames it was given one after the other, or the videos it was made from."""
    if item.role == "upscale":
        return film_of(item.sources[0], seconds, width, height)
    if item.role == "join":
        films = [film_of(part, clip, width, height) for part, clip in zip(item.sources, item.clip_s, strict=True)]
        return Film(
            tuple(scene for part in films for scene in part.scenes), tuple(s for part in films for s in part.seconds)
        )
    if item.role == "frames":
        scenes = [Scene(item.prompt, item.seed, width, height, backdrop=inset_of(frame)) for frame in item.sources]
        return Film(tuple(scenes), (seconds / len(scenes),) * len(scenes))
    return Film((scene_of(item, width, height),), (seconds,))


def scene_of(item: MediaItem, width: int, height: int) -> Scene:
    """What one picture of an item shows."""
    match item.role:
        case "upscale" | "join":
            return scene_of(item.sources[0], width, height)
        case "frames":
            return Scene(item.prompt, item.seed, width, height, backdrop=inset_of(item.sources[0]))
        case "extend":
            return Scene(item.prompt, item.sources[0].seed, width, height)
    insets = tuple(inset_of(source) for source in item.sources)
    return Scene(item.prompt, item.seed, width, height, insets)


def inset_of(source: MediaItem) -> "bytes | Scene":
    """A source as it is shown in a corner: the bytes of an upload, or a drawing of its own."""
    return source.content or scene_of(source, 640, max(16, 640 * source.height // max(1, source.width)))


def even(length: float) -> int:
    """The nearest even length, 16 at least: what the encoder's 4:2:0 planes need."""
    return max(16, int(length) // 2 * 2)
