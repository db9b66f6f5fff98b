"""OpenAI's own picture models, for accounts whose host is OpenAI (2026-11). Other hosts' models are named in the settings.

The plain ids are other names for Flow's models already, because clients have them built in; so these begin with ``openai-``.
OpenAI's videos are not among them: their API was to end in 2026-09.
"""

from collections.abc import Iterable

from flow2api.adapters.openai_media.model_records import ModelRecord, entries_of
from flow2api.domain.catalog import Entry
from flow2api.hookspecs import hookimpl

_SQUARE, _WIDE, _TALL = "1024x1024", "1536x1024", "1024x1536"
_SIZES = (_SQUARE, _WIDE, _TALL)


def _prices(square: float, longer: float) -> dict[str, float]:
    return {_SQUARE: square, _WIDE: longer, _TALL: longer}


RECORDS = (
    ModelRecord(
        name="openai-gpt-image-1.5",
        id="gpt-image-1.5",
        kind="image",
        sizes=_SIZES,
        qualities={"medium": _prices(0.034, 0.05), "low": _prices(0.009, 0.013), "high": _prices(0.133, 0.2)},
        max_images=16,
        masks=True,
        created_at=1_765_843_200,
    ),
    # Billed by tokens, $30 for a million; the price of a picture is an estimate by the tokens that its predecessor takes.
    ModelRecord(
        name="openai-gpt-image-2.6-sunburst",
        id="gpt-image-2.6-sunburst",
        kind="image",
        sizes=_SIZES,
        qualities={"medium": _prices(0.032, 0.048), "low": _prices(0.009, 0.013), "high": _prices(0.125, 0.188)},
        max_images=16,
        masks=True,
        created_at=1_793_491_200,
    ),
)


@hookimpl
def register_models() -> Iterable[Entry]:
    """A model for each size and quality, and a name for all of them together."""
    return [entry for record in RECORDS for entry in entries_of(record)]
