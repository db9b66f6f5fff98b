"""Names that clients have built in or offer by themselves, each led to what comes nearest to it.

They are answered but not listed. Names of OpenAI's are those of its SDK's types (3.54, 2026-11) and some older ones
that front ends still send; names of Google's are those of the Gemini API's model pages and SDKs up to 2026-11.
"""

from collections.abc import Iterator, Mapping

from flow2api.domain.catalog import Alias, Mode

# The free plan may use both picture lines; Flash answers sooner and is the one that never asks for a higher plan.
_FLASH_PICTURES = "gemini-3.1-flash-image"
_PRO_PICTURES = "gemini-3.0-pro-image"
_IMAGEN = "imagen-4.0-generate-preview"

_Targets = Mapping[Mode | None, str]
_FAST_VIDEO: _Targets = {
    None: "veo_3_1_t2v_fast",
    Mode.FRAMES: "veo_3_1_i2v_s_fast_fl",
    Mode.REFERENCES: "veo_3_1_r2v_fast",
    Mode.EXTEND: "veo_3_1_extend",
}
# There are no reference pictures in the quality line, so that three of them are served by the fast one.
_QUALITY_VIDEO: _Targets = {
    None: "veo_3_1_t2v",
    Mode.FRAMES: "veo_3_1_i2v_s",
    Mode.REFERENCES: "veo_3_1_r2v_fast",
    Mode.EXTEND: "veo_3_1_extend",
}
# Of the lite models one takes a single frame and one takes two; the number decides only in the request itself, and one
# frame is the common case.
_LITE_VIDEO: _Targets = {
    None: "veo_3_1_t2v_lite",
    Mode.FRAMES: "veo_3_1_i2v_lite",
    Mode.REFERENCES: "veo_3_1_r2v_fast",
    Mode.EXTEND: "veo_3_1_extend",
}

_PICTURES = {
    _FLASH_PICTURES: (
        "chatgpt-image-latest",
        "dall-e-2",
        "dall-e-3",
        "gemini-2.0-flash-exp-image-generation",
        "gemini-2.0-flash-preview-image-generation",
        "gemini-2.5-flash-image",
        "gemini-2.5-flash-image-preview",
        "gemini-3.1-flash-image-preview",
        "gemini-3.1-flash-lite-image",
        "gemini-nano-banana-2.1",
        "gpt-image-1",
        "gpt-image-1-mini",
        "gpt-image-1.5",
        "gpt-image-2",
        "gpt-image-2-2026-04-21",
        "gpt-image-2.5-flare",
        "gpt-image-2.5-flare-2026-09-08",
        "gpt-image-2.5-sunburst",
        "gpt-image-2.5-sunburst-2026-09-08",
        "gpt-image-2.6-flare",
        "gpt-image-2.6-sunburst",
    ),
    _PRO_PICTURES: (
        "gemini-3-pro-image",
        "gemini-3-pro-image-preview",
    ),
    _IMAGEN: (
        "imagen-3.0-fast-generate-001",
        "imagen-3.0-generate-001",
        "imagen-3.0-generate-002",
        "imagen-4.0-fast-generate-001",
        "imagen-4.0-generate-001",
        "imagen-4.0-ultra-generate-001",
    ),
}

_VIDEOS: tuple[tuple[_Targets, tuple[str, ...]], ...] = (
    (
        _FAST_VIDEO,
        (
            "sora-2",
            "sora-2-2025-10-06",
            "sora-2-2025-12-08",
            "veo-2.0-generate-001",
            "veo-3.0-fast-generate-001",
            "veo-3.0-fast-generate-preview",
            "veo-3.1-fast-generate-001",
            "veo-3.1-fast-generate-preview",
        ),
    ),
    (
        _QUALITY_VIDEO,
        (
            "sora-2-pro",
            "sora-2-pro-2025-10-06",
            "veo-3.0-generate-001",
            "veo-3.0-generate-preview",
            "veo-3.1-generate-001",
            "veo-3.1-generate-preview",
        ),
    ),
    (_LITE_VIDEO, ("veo-3.1-lite-generate-preview",)),
    ({None: "omni"}, ("gemini-omni-1.1-flash", "gemini-omni-1.2-flash", "gemini-omni-flash")),
)


def client_aliases() -> Iterator[Alias]:
    """One alias for each of the names."""
    for base, names in _PICTURES.items():
        for name in names:
            yield Alias(name, {None: base})
    for targets, names in _VIDEOS:
        for name in names:
            yield Alias(name, targets)
