"""An upstream that paints plain colours, with its two models. It shows every method of the port and calls nobody.

Its accounts have API keys. Its section of the settings is described by `Settings`.
"""

from collections.abc import Iterable

import msgspec

from flow2api.domain.account import CredentialKind
from flow2api.domain.catalog import LANDSCAPE, SQUARE, BaseName, Entry, Mode, ModelSpec, Size
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.system import Clock
from flow2api.domain.ports.upstream import Upstream
from flow2api.hookspecs import Section, SettingsSection, UpstreamFactory, hookimpl
from flow2api_swatch.service import PaintShop
from flow2api_swatch.upstream import NAME, SwatchUpstream

_SIZES = {"square": (SQUARE, Size(1024, 1024)), "landscape": (LANDSCAPE, Size(1376, 768))}


@hookimpl
def register_upstreams() -> Iterable[UpstreamFactory]:
    """The upstream ``swatch``."""
    return [UpstreamFactory(NAME, build, CredentialKind.API_KEY)]


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


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The section ``[swatch]`` of the settings.

    Attributes:
        refused_words: What is not painted, separated by commas.
    """

    refused_words: str = "unsafe,filtered"


@hookimpl
def register_settings() -> Iterable[SettingsSection]:
    """What the section looks like: with this, ``build`` gets it checked and with its defaults."""
    return [SettingsSection(NAME, Settings)]


def build(section: Section, clock: Clock) -> Upstream:
    """The upstream as its section of the settings wants it."""
    words = section["refused_words"].split(",")
    return SwatchUpstream(PaintShop(tuple(word.strip() for word in words if word.strip())), clock)
