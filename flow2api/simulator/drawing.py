"""Draws pictures from prompts: a landscape, a figure that the prompt names, and the prompt itself."""

import colorsys
import hashlib
import io
import math
import random
import re
import textwrap
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps

from flow2api.simulator.motifs import PAPER, Color, figure_for

BASE_WIDTH = 1376
WIDE_FONT = "DejaVuSans.ttf"
COLOR_WORDS = {
    "red": 0.99, "orange": 0.07, "yellow": 0.14, "gold": 0.13, "green": 0.36, "teal": 0.48, "blue": 0.60,
    "purple": 0.76, "violet": 0.74, "pink": 0.91,
}  # fmt: skip
PLACE_WORDS = {"sea": 0.56, "ocean": 0.57, "forest": 0.34, "fire": 0.04, "ice": 0.54, "sunset": 0.04, "desert": 0.09}
DARK_WORDS = frozenset({"night", "dark", "space", "moon", "midnight", "stars", "noir"})


@dataclass(slots=True, frozen=True)
class Scene:
    """What a picture or a stretch of a video shows.

    Attributes:
        prompt: Chooses colours, landscape and figure, and is written below.
        seed: Varies them.
        width: Pixels.
        height: Pixels.
        insets: Pictures shown as prints in the corners: encoded bytes or scenes.
        backdrop: A picture that takes the landscape's place.
    """

    prompt: str
    seed: int
    width: int
    height: int
    insets: "tuple[bytes | Scene, ...]" = ()
    backdrop: "bytes | Scene | None" = None

    def chance(self) -> random.Random:
        """Random numbers that depend on prompt and seed alone."""
        digest = hashlib.sha256(f"{self.prompt}\n{self.seed}".encode()).digest()
        return random.Random(digest)


@dataclass(slots=True, frozen=True)
class Palette:
    """The colours of a scene, from far to near, and two for its figure."""

    sky: tuple[Color, Color, Color]
    layers: tuple[Color, ...]
    main: Color
    second: Color
    dark: bool


def draw_picture(scene: Scene, kind: Literal["jpeg", "png"] = "jpeg") -> bytes:
    """A scene as an encoded picture of its size."""
    picture = paint(scene)
    buffer = io.BytesIO()
    if kind == "png":
        picture.save(buffer, "PNG", compress_level=1)
    else:
        picture.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def draw_poster(scene: Scene) -> bytes:
    """A scene as a JPEG with a play sign."""
    picture = paint(scene)
    draw = ImageDraw.Draw(picture, "RGBA")
    x, y, r = scene.width / 2, scene.height / 2, min(scene.width, scene.height) / 8
    draw.ellipse((x - r, y - r, x + r, y + r), fill=(20, 18, 28, 150))
    draw.polygon([(x - r / 3, y - r / 2), (x - r / 3, y + r / 2), (x + r / 2, y)], fill=PAPER)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=82)
    return buffer.getvalue()


def paint(scene: Scene) -> Image.Image:
    """A whole scene. It is drawn at a usual size and enlarged for an upscale."""
    factor = max(scene.width, scene.height) / BASE_WIDTH
    if factor > 1.05:
        size = (round(scene.width / factor), round(scene.height / factor))
        small = Scene(scene.prompt, scene.seed, *size, scene.insets, scene.backdrop)
        return paint(small).resize((scene.width, scene.height), Image.Resampling.BICUBIC)
    picture = paint_landscape(scene, scene.width, scene.height)
    if scene.backdrop is None:
        figure = paint_figure(scene)
        picture.paste(figure, figure_place(scene, figure.width), figure)
    caption = paint_caption(scene)
    picture.paste(caption, (0, scene.height - caption.height), caption)
    return picture


def palette(scene: Scene) -> Palette:
    """The colours: of the place and the colour that the prompt names, else of those that its hash picks."""
    chance = scene.chance()
    words = set(re.findall(r"[a-z]+", scene.prompt.lower()))
    picked = chance.random()
    hue = next((PLACE_WORDS[word] for word in PLACE_WORDS if word in words), picked)
    hue += chance.uniform(-0.02, 0.02)
    dark = bool(words & DARK_WORDS) or chance.random() < 0.2
    drift = chance.choice((-1, 1)) * chance.uniform(0.05, 0.12)
    light = 0.30 if dark else 0.96
    sky = tuple(tint(hue + drift * n, 0.45 + 0.08 * n, light - (0.06 if dark else 0.02) * n) for n in (2, 1, 0))
    layers = tuple(tint(hue + drift * n / 2, 0.35 + 0.1 * n, (0.5 if dark else 0.86) - 0.13 * n) for n in range(4))
    own = next((COLOR_WORDS[word] for word in COLOR_WORDS if word in words), hue + 0.5)
    main, second = tint(own, 0.66, 0.92), tint(own + 0.12, 0.5, 0.97)
    return Palette((sky[0], sky[1], sky[2]), layers, main, second, dark)


def tint(hue: float, saturation: float, value: float) -> Color:
    """A colour from hue (turns), saturation and value (0 to 1)."""
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, min(1, saturation), max(0.08, value))
    return int(red * 255), int(green * 255), int(blue * 255)


def paint_landscape(scene: Scene, width: int, height: int) -> Image.Image:
    """The far parts of a scene at any size: sky, a sun or moon, rolling layers, prints of its insets."""
    if scene.backdrop is not None:
        return add_insets(ImageOps.fit(opened(scene.backdrop, max(width, height)), (width, height)), scene)
    colors, chance = palette(scene), scene.chance()
    gradient = Image.linear_gradient("L").resize((width, height))
    picture = ImageOps.colorize(gradient, black=colors.sky[0], mid=colors.sky[1], white=colors.sky[2])
    x, y, r = chance.uniform(0.15, 0.85) * width, chance.uniform(0.15, 0.4) * height, min(width, height) * 0.13
    glow = Image.new("L", (width // 4 + 1, height // 4 + 1))
    soft = ImageDraw.Draw(glow)
    soft.ellipse(tuple(v / 4 for v in (x - 2 * r, y - 2 * r, x + 2 * r, y + 2 * r)), fill=150)
    picture.paste(PAPER, mask=glow.filter(ImageFilter.GaussianBlur(max(1, r / 6))).resize((width, height)))
    draw = ImageDraw.Draw(picture)
    if colors.dark:
        for _ in range(90):
            sx, sy, sr = chance.random() * width, chance.random() * height * 0.6, chance.uniform(0.6, 2)
            draw.ellipse((sx - sr, sy - sr, sx + sr, sy + sr), fill=PAPER)
    draw.ellipse((x - r, y - r, x + r, y + r), fill=(250, 244, 222) if colors.dark else (255, 236, 179))
    shape = chance.choice((rolling, jagged, stepped))
    for number, color in enumerate(colors.layers):
        top = height * (0.5 + 0.13 * number)
        draw.polygon([*shape(chance, width, height, top), (width, height), (0, height)], fill=color)
    return add_insets(picture, scene)


def rolling(chance: random.Random, width: int, height: int, top: float) -> list[tuple[float, float]]:
    """The line of soft hills."""
    waves = [(chance.uniform(0.6, 2.5), chance.uniform(0, 6.3), chance.uniform(0.02, 0.05) * height) for _ in range(3)]
    step = max(2, width // 120)
    return [
        (x, top + sum(size * math.sin(x / width * 6.3 * pace + start) for pace, start, size in waves))
        for x in range(0, width + step, step)
    ]


def jagged(chance: random.Random, width: int, height: int, top: float) -> list[tuple[float, float]]:
    """The line of mountains."""
    count = chance.randint(5, 9)
    return [
        (width * n / count, top + (chance.uniform(-0.13, -0.02) if n % 2 else chance.uniform(0, 0.06)) * height)
        for n in range(count + 1)
    ]


def stepped(chance: random.Random, width: int, height: int, top: float) -> list[tuple[float, float]]:
    """The line of a town's roofs."""
    count, line = chance.randint(9, 14), []
    for n in range(count):
        level = top + chance.uniform(-0.12, 0.05) * height
        line += [(width * n / count, level), (width * (n + 1) / count, level)]
    return line


def add_insets(picture: Image.Image, scene: Scene) -> Image.Image:
    """Shows up to four insets as prints, from the upper left corner on."""
    side = max(8, min(picture.size) // 4)
    for number, inset in enumerate(scene.insets[:4]):
        photo = ImageOps.fit(opened(inset, side), (side, side))
        frame = ImageOps.expand(photo, border=max(2, side // 20), fill=PAPER).convert("RGBA")
        frame = frame.rotate(4 - 3 * number, expand=True, resample=Image.Resampling.BICUBIC)
        picture.paste(frame, (side // 6 + number * (side + side // 4), side // 6), frame)
    return picture


def opened(source: "bytes | Scene", side: int) -> Image.Image:
    """A source as a picture; what can't be decoded becomes a grey field."""
    if isinstance(source, Scene):
        return paint(source)
    try:
        with Image.open(io.BytesIO(source)) as picture:
            picture.draft("RGB", (side, side))
            return ImageOps.exif_transpose(picture).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError):
        return Image.new("RGB", (side, side), (128, 128, 128))


def paint_figure(scene: Scene) -> Image.Image:
    """The figure of a scene on nothing, with smooth edges."""
    side = max(2, int(min(scene.width, scene.height) * 0.42))
    colors = palette(scene)
    large = Image.new("RGBA", (side * 2, side * 2))
    figure_for(scene.prompt, scene.chance().randrange(1000))(
        ImageDraw.Draw(large), side * 2, colors.main, colors.second
    )
    return large.reduce(2)


def figure_place(scene: Scene, side: int) -> tuple[int, int]:
    """Where the figure stands: somewhere in the middle third."""
    x = scene.chance().uniform(0.32, 0.68) * scene.width
    return int(x - side / 2), int(scene.height * 0.74 - side)


def paint_caption(scene: Scene) -> Image.Image:
    """The prompt on a dark band, wrapped; long ones are cut after three lines."""
    size = max(9, min(scene.width, scene.height) // 23)
    text, plain = readable(" ".join(scene.prompt.split()))
    font, small = lettering(size, plain=plain), lettering(max(8, size * 2 // 3), plain=True)
    wrap = max(10, int(scene.width * 0.92 / (size * 0.52)))
    lines = textwrap.wrap(text, wrap, max_lines=3, placeholder=" …") or [" "]
    height = int(size * (1.35 * len(lines) + 2.1))
    band = Image.new("RGBA", (scene.width, height), (18, 16, 26, 150))
    draw, left = ImageDraw.Draw(band), int(scene.width * 0.04)
    for number, line in enumerate(lines):
        draw.text((left, size * (0.5 + 1.35 * number)), line, font=font, fill=PAPER)
    note = f"simulated · seed {scene.seed}"
    draw.text((left, height - size * 1.15), note, font=small, fill=(222, 214, 236))
    return band


@lru_cache(maxsize=32)
def lettering(size: int, *, plain: bool) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font at a size; for more than plain letters one of the system."""
    return ImageFont.load_default(size) if plain else ImageFont.truetype(WIDE_FONT, size)


def readable(text: str) -> tuple[str, bool]:
    """A text that can be drawn, and whether Pillow's own font has all of its letters."""
    if text.isascii():
        return text, True
    try:
        lettering(10, plain=False)
    except OSError:
        return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode(), True
    return text, False
