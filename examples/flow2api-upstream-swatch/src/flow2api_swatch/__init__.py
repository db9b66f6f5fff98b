"""An upstream that paints plain colours, with its two models. It shows every method of the port and calls nobody.

Its section of the settings: ``refused_words``, separated by commas (``unsafe,filtered`` when nothing is said).
"""

from collections.abc import Iterable

from flow2api.domain.catalog import LANDSCAPE, SQUARE, BaseName, Entry, Mode, ModelSpec, Size
from flow2api.domain.errors import ConfigurationError
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Upstream
from flow2api.hookspecs import Section, UpstreamFactory, hookimpl
from flow2api_swatch.service import PaintShop
from flow2api_swatch.upstream import NAME, SwatchUpstream

_SIZES = {"square": (SQUARE, Size(1024, 1024)), "landscape": (LANDSCAPE, Size(1376, 768))}


@hookimpl
def register_upstreams() -> Iterable[UpstreamFactory]:
    """The upstream ``swatch``."""
    return [UpstreamFactory(NAME, build)]


@hookimpl
def register_models() -> Iterable[Entry]:
    """A square and a landscape, and ``swatch`` for both of them. Nobody pays for a colour."""
    for word, (ratio, size) in _SIZES.items():
        yield ModelSpec(
            name=f"swatch-{word}",
            upstream=NAME,
            kind=MediaKind.IMAGE,
            mode=Mode.TEXT,
            line="swatch",
            aspect_ratio=ratio,
            size=size,
            max_images=1,
        )
    yield BaseName("swatch", "swatch")


def build(section: Section, clock: Clock) -> Upstream:
    """The upstream as its section of the settings wants it.

    Raises:
        ConfigurationError: A setting is not known.
    """
    unknown = sorted(set(section) - {"refused_words"})
    if unknown:
        raise ConfigurationError(
            f"The upstream {NAME!r} has one setting, `refused_words`, but {', '.join(unknown)} is set."
        )
    words = str(section.get("refused_words", "unsafe,filtered")).split(",")
    return SwatchUpstream(PaintShop(tuple(word.strip() for word in words if word.strip())), clock)
