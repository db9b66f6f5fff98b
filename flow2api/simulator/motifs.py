"""Small figures that a prompt can name, so that a drawn picture has something to do with it."""

import re
from collections.abc import Callable

from PIL.ImageDraw import ImageDraw

Color = tuple[int, int, int]
Figure = Callable[[ImageDraw, float, Color, Color], None]
"""Draws into a square of the given side with a main and a second colour."""

INK = (38, 34, 48)
PAPER = (255, 250, 240)


def cat(draw: ImageDraw, side: float, main: Color, second: Color) -> None:
    """A sitting cat."""
    s = side / 100
    draw.ellipse((22 * s, 48 * s, 78 * s, 100 * s), fill=main)
    draw.arc((62 * s, 52 * s, 98 * s, 96 * s), 270, 80, fill=main, width=max(1, int(7 * s)))
    for ear in (((26, 10), (30, 38), (48, 24)), ((74, 10), (70, 38), (52, 24))):
        draw.polygon([(x * s, y * s) for x, y in ear], fill=main)
    draw.ellipse((24 * s, 18 * s, 76 * s, 62 * s), fill=main)
    for x in (38, 62):
        draw.ellipse(((x - 6) * s, 32 * s, (x + 6) * s, 46 * s), fill=PAPER)
        draw.ellipse(((x - 2) * s, 34 * s, (x + 2) * s, 45 * s), fill=INK)
    draw.polygon([(47 * s, 48 * s), (53 * s, 48 * s), (50 * s, 52 * s)], fill=second)
    for y in (50, 54):
        draw.line((14 * s, y * s, 40 * s, (y - 1) * s), fill=PAPER, width=max(1, int(s)))
        draw.line((60 * s, (y - 1) * s, 86 * s, y * s), fill=PAPER, width=max(1, int(s)))


def dog(draw: ImageDraw, side: float, main: Color, second: Color) -> None:
    """A dog's face."""
    s = side / 100
    draw.ellipse((18 * s, 16 * s, 82 * s, 90 * s), fill=main)
    for left, right in ((8, 32), (68, 92)):
        draw.ellipse((left * s, 12 * s, right * s, 66 * s), fill=second)
    draw.ellipse((34 * s, 50 * s, 66 * s, 84 * s), fill=PAPER)
    draw.ellipse((43 * s, 52 * s, 57 * s, 62 * s), fill=INK)
    draw.pieslice((42 * s, 62 * s, 58 * s, 84 * s), 0, 180, fill=(226, 96, 110))
    for x in (38, 62):
        draw.ellipse(((x - 4) * s, 36 * s, (x + 4) * s, 45 * s), fill=INK)


def bird(draw: ImageDraw, side: float, main: Color, second: Color) -> None:
    """A round bird."""
    s = side / 100
    draw.polygon([(10 * s, 44 * s), (34 * s, 50 * s), (12 * s, 66 * s)], fill=second)
    draw.ellipse((22 * s, 26 * s, 80 * s, 82 * s), fill=main)
    draw.pieslice((28 * s, 40 * s, 62 * s, 76 * s), 350, 190, fill=second)
    draw.polygon([(78 * s, 46 * s), (96 * s, 52 * s), (78 * s, 58 * s)], fill=(245, 166, 35))
    draw.ellipse((62 * s, 38 * s, 72 * s, 48 * s), fill=PAPER)
    draw.ellipse((66 * s, 40 * s, 71 * s, 46 * s), fill=INK)
    for x in (46, 58):
        draw.line((x * s, 80 * s, x * s, 96 * s), fill=INK, width=max(1, int(2 * s)))


def fish(draw: ImageDraw, side: float, main: Color, second: Color) -> None:
    """A fish with two bubbles."""
    s = side / 100
    draw.polygon([(4 * s, 32 * s), (30 * s, 52 * s), (4 * s, 74 * s)], fill=second)
    draw.ellipse((18 * s, 28 * s, 86 * s, 78 * s), fill=main)
    draw.polygon([(44 * s, 28 * s), (62 * s, 12 * s), (64 * s, 32 * s)], fill=second)
    draw.ellipse((66 * s, 42 * s, 77 * s, 53 * s), fill=PAPER)
    draw.ellipse((70 * s, 44 * s, 76 * s, 51 * s), fill=INK)
    for x, y, r in ((90, 30, 4), (95, 18, 3)):
        draw.ellipse(((x - r) * s, (y - r) * s, (x + r) * s, (y + r) * s), outline=PAPER, width=max(1, int(s)))


def tree(draw: ImageDraw, side: float, main: Color, second: Color) -> None:
    """A tree."""
    s = side / 100
    draw.rectangle((45 * s, 60 * s, 55 * s, 100 * s), fill=(112, 78, 56))
    for x, y, r in ((50, 30, 26), (32, 48, 22), (68, 48, 22)):
        draw.ellipse(((x - r) * s, (y - r) * s, (x + r) * s, (y + r) * s), fill=(72, 148, 92))
    for x, y in ((38, 34), (60, 26), (66, 50), (32, 54)):
        draw.ellipse(((x - 4) * s, (y - 4) * s, (x + 4) * s, (y + 4) * s), fill=second)


def house(draw: ImageDraw, side: float, main: Color, second: Color) -> None:
    """A house with a lit window."""
    s = side / 100
    draw.rectangle((22 * s, 46 * s, 78 * s, 96 * s), fill=PAPER)
    draw.polygon([(12 * s, 48 * s), (50 * s, 14 * s), (88 * s, 48 * s)], fill=main)
    draw.rectangle((44 * s, 68 * s, 58 * s, 96 * s), fill=second)
    draw.rectangle((28 * s, 56 * s, 40 * s, 68 * s), fill=(255, 214, 102))
    draw.rectangle((62 * s, 56 * s, 72 * s, 68 * s), fill=(255, 214, 102))


def boat(draw: ImageDraw, side: float, main: Color, second: Color) -> None:
    """A sailing boat."""
    s = side / 100
    draw.polygon([(12 * s, 70 * s), (88 * s, 70 * s), (74 * s, 90 * s), (26 * s, 90 * s)], fill=main)
    draw.line((48 * s, 12 * s, 48 * s, 70 * s), fill=INK, width=max(1, int(2 * s)))
    draw.polygon([(50 * s, 14 * s), (50 * s, 64 * s), (84 * s, 64 * s)], fill=PAPER)
    draw.polygon([(45 * s, 22 * s), (45 * s, 64 * s), (20 * s, 64 * s)], fill=second)


def balloon(draw: ImageDraw, side: float, main: Color, second: Color) -> None:
    """A hot-air balloon."""
    s = side / 100
    draw.polygon([(28 * s, 56 * s), (72 * s, 56 * s), (57 * s, 80 * s), (43 * s, 80 * s)], fill=second)
    draw.ellipse((20 * s, 4 * s, 80 * s, 68 * s), fill=main)
    draw.ellipse((36 * s, 4 * s, 64 * s, 68 * s), fill=second)
    draw.rectangle((43 * s, 84 * s, 57 * s, 96 * s), fill=(134, 92, 60))


def rocket(draw: ImageDraw, side: float, main: Color, second: Color) -> None:
    """A rocket under way."""
    s = side / 100
    draw.polygon([(42 * s, 76 * s), (58 * s, 76 * s), (50 * s, 99 * s)], fill=(255, 176, 59))
    draw.polygon([(34 * s, 50 * s), (18 * s, 78 * s), (36 * s, 72 * s)], fill=main)
    draw.polygon([(66 * s, 50 * s), (82 * s, 78 * s), (64 * s, 72 * s)], fill=main)
    draw.ellipse((34 * s, 4 * s, 66 * s, 100 * s - 16 * s), fill=PAPER)
    draw.rectangle((36 * s, 66 * s, 64 * s, 78 * s), fill=main)
    draw.ellipse((42 * s, 30 * s, 58 * s, 46 * s), fill=second, outline=INK, width=max(1, int(s)))


def flower(draw: ImageDraw, side: float, main: Color, second: Color) -> None:
    """A flower on a stem."""
    s = side / 100
    draw.line((50 * s, 50 * s, 50 * s, 100 * s), fill=(72, 148, 92), width=max(1, int(4 * s)))
    draw.ellipse((52 * s, 70 * s, 76 * s, 82 * s), fill=(72, 148, 92))
    for x, y in ((50, 18), (70, 32), (62, 54), (38, 54), (30, 32)):
        draw.ellipse(((x - 15) * s, (y - 15) * s, (x + 15) * s, (y + 15) * s), fill=main)
    draw.ellipse((39 * s, 27 * s, 61 * s, 49 * s), fill=second)


def mug(draw: ImageDraw, side: float, main: Color, second: Color) -> None:
    """A steaming mug."""
    s = side / 100
    draw.ellipse((62 * s, 46 * s, 92 * s, 80 * s), outline=main, width=max(2, int(7 * s)))
    draw.rounded_rectangle((18 * s, 38 * s, 74 * s, 94 * s), radius=9 * s, fill=main)
    draw.ellipse((18 * s, 32 * s, 74 * s, 46 * s), fill=second)
    for x in (34, 50):
        draw.arc((x * s, 4 * s, (x + 10) * s, 18 * s), 90, 270, fill=PAPER, width=max(1, int(2 * s)))
        draw.arc(((x - 4) * s, 16 * s, (x + 6) * s, 30 * s), 270, 90, fill=PAPER, width=max(1, int(2 * s)))


def robot(draw: ImageDraw, side: float, main: Color, second: Color) -> None:
    """A friendly robot."""
    s = side / 100
    draw.line((50 * s, 6 * s, 50 * s, 22 * s), fill=INK, width=max(1, int(2 * s)))
    draw.ellipse((46 * s, 2 * s, 54 * s, 10 * s), fill=second)
    draw.rounded_rectangle((24 * s, 20 * s, 76 * s, 60 * s), radius=9 * s, fill=main)
    draw.rounded_rectangle((30 * s, 64 * s, 70 * s, 96 * s), radius=7 * s, fill=main)
    for x in (38, 62):
        draw.ellipse(((x - 7) * s, 30 * s, (x + 7) * s, 44 * s), fill=PAPER)
        draw.ellipse(((x - 3) * s, 34 * s, (x + 3) * s, 40 * s), fill=INK)
    draw.arc((40 * s, 42 * s, 60 * s, 54 * s), 10, 170, fill=INK, width=max(1, int(2 * s)))
    draw.rectangle((42 * s, 72 * s, 58 * s, 82 * s), fill=second)


def heart(draw: ImageDraw, side: float, main: Color, second: Color) -> None:
    """A heart."""
    s = side / 100
    draw.ellipse((12 * s, 16 * s, 54 * s, 58 * s), fill=main)
    draw.ellipse((46 * s, 16 * s, 88 * s, 58 * s), fill=main)
    draw.polygon([(16 * s, 48 * s), (84 * s, 48 * s), (50 * s, 92 * s)], fill=main)
    draw.ellipse((24 * s, 24 * s, 38 * s, 38 * s), fill=second)


FIGURES: dict[str, Figure] = {
    "cat": cat,
    "kitten": cat,
    "dog": dog,
    "puppy": dog,
    "bird": bird,
    "owl": bird,
    "fish": fish,
    "tree": tree,
    "forest": tree,
    "house": house,
    "home": house,
    "village": house,
    "boat": boat,
    "ship": boat,
    "sea": boat,
    "balloon": balloon,
    "rocket": rocket,
    "space": rocket,
    "flower": flower,
    "garden": flower,
    "mug": mug,
    "cup": mug,
    "coffee": mug,
    "tea": mug,
    "robot": robot,
    "heart": heart,
    "love": heart,
}
OTHERS: tuple[Figure, ...] = (balloon, boat, bird, rocket, flower, robot)


def figure_for(prompt: str, number: int) -> Figure:
    """The figure that a prompt names first, else one that its hash picks."""
    for word in re.findall(r"[a-z]+", prompt.lower()):
        if (figure := FIGURES.get(word) or FIGURES.get(word.removesuffix("s"))) is not None:
            return figure
    return OTHERS[number % len(OTHERS)]
