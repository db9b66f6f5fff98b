"""Plots as SVG texts that stand by themselves: readable in light and dark, with a legend, in whatever font there is."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 960, 380
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 84, 40
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8c6bb1", "#8a8f98")
"""They differ in lightness, too, for those who do not tell the hues apart."""

STYLE = """
  svg { font: 13px system-ui, sans-serif; }
  .ground { fill: #ffffff } .ink { fill: #1f2328 } .faint { fill: #59636e } .title { font-size: 16px; font-weight: 600 }
  .grid { stroke: #d8dee4; stroke-width: 1 } .outage { fill: #59636e; opacity: 0.16 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #0d1117 } .ink { fill: #e6edf3 } .faint { fill: #9198a1 } .grid { stroke: #30363d }
    .outage { fill: #9198a1; opacity: 0.22 }
  }
"""


@dataclass(frozen=True, slots=True)
class Series:
    """One row of values and what they are."""

    name: str
    values: Sequence[float]


def stacked(title: str, times: Sequence[float], series: Sequence[Series], hours: int, outage: tuple[float, ...]) -> str:
    """Areas on top of each other; ``times`` are hours from the start."""
    most = _round_up(max(sum(values) for values in zip(*(one.values for one in series), strict=True)))
    under = [0.0] * len(times)
    areas = []
    for number, one in enumerate(series):
        over = [low + value for low, value in zip(under, one.values, strict=True)]
        points = [*zip(times, over, strict=True), *reversed([*zip(times, under, strict=True)])]
        path = " ".join(f"{_x(at, hours):.1f},{_y(value, most):.1f}" for at, value in points)
        areas.append(f'<polygon points="{path}" fill="{COLOURS[number]}"/>')
        under = over
    return _plot(title, series, areas, most, hours, outage)


def bars(title: str, series: Sequence[Series], hours: int, outage: tuple[float, ...]) -> str:
    """One bar for each hour, of parts on top of each other."""
    most = _round_up(max(sum(values) for values in zip(*(one.values for one in series), strict=True)))
    width = (WIDTH - LEFT - RIGHT) / hours
    parts = []
    for hour in range(hours):
        low = 0.0
        for number, one in enumerate(series):
            value = one.values[hour]
            if not value:
                continue
            top, height = _y(low + value, most), _y(low, most) - _y(low + value, most)
            parts.append(
                f'<rect x="{_x(hour, hours):.1f}" y="{top:.1f}" width="{max(width - 0.6, 0.6):.1f}" '
                f'height="{height:.1f}" fill="{COLOURS[number]}"/>'
            )
            low += value
    return _plot(title, series, parts, most, hours, outage)


def _plot(
    title: str, series: Sequence[Series], marks: Sequence[str], most: float, hours: int, outage: tuple[float, ...]
) -> str:
    begin, end = outage
    shade = (
        f'<rect class="outage" x="{_x(begin, hours):.1f}" y="{TOP}" '
        f'width="{_x(end, hours) - _x(begin, hours):.1f}" height="{HEIGHT - TOP - BOTTOM}"/>'
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
        f'<text class="ink title" x="{LEFT}" y="28">{escape(title)}</text>',
        *_legend(series),
        *_axes(most, hours),
        shade,
        *marks,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _legend(series: Sequence[Series]) -> list[str]:
    lines, x, y = [], float(LEFT), 46.0
    words = [(one.name, f'fill="{COLOURS[number]}"') for number, one in enumerate(series)]
    for word, fill in [*words, ("outage of the service", 'class="outage"')]:
        length = 30 + 7.0 * len(word)
        if x + length > WIDTH - RIGHT:
            x, y = float(LEFT), y + 18
        lines.append(f'<rect x="{x:.0f}" y="{y - 9:.0f}" width="11" height="11" rx="2" {fill}/>')
        lines.append(f'<text class="ink" x="{x + 17:.0f}" y="{y + 1:.0f}">{escape(word)}</text>')
        x += length
    return lines


def _axes(most: float, hours: int) -> list[str]:
    lines = []
    for step in range(5):
        value = most * step / 4
        y = _y(value, most)
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text class="faint" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    every = 24 if hours > 48 else 6
    for hour in range(0, hours + 1, every):
        word = f"day {hour // 24 + 1}" if every == 24 else f"{hour} h"
        anchor = "start" if every == 24 else "middle"
        if hour < hours or every < 24:
            lines.append(
                f'<text class="faint" x="{_x(hour, hours):.1f}" y="{HEIGHT - 16}" text-anchor="{anchor}">{word}</text>'
            )
    return lines


def _round_up(value: float) -> float:
    """The next number that four steps divide well."""
    step = next(
        step for step in (4, 8, 12, 16, 20, 40, 60, 80, 100, 120, 160, 200, 400, 800, 1600, 4000) if step >= value
    )
    return float(step)


def _x(hour: float, hours: int) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * hour / hours


def _y(value: float, most: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / most
