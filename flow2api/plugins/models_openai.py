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

RECORDS = (
    ModelRecord(
        name="openai-gpt-image-1.5",
        id="gpt-image-1.5",
        kind="image",
        sizes=_SIZES,
        price_usd={_SQUARE: 0.034, _WIDE: 0.05, _TALL: 0.05},
        max_images=16,
        masks=True,
        extra={"quality": "medium"},
        created_at=1_765_843_200,
    ),
    # Billed by tokens, $30 for a million; the price of a picture is an estimate by the tokens that its predecessor takes.
    ModelRecord(
        name="openai-gpt-image-2.6-sunburst",
        id="gpt-image-2.6-sunburst",
        kind="image",
        sizes=_SIZES,
        price_usd={_SQUARE: 0.032, _WIDE: 0.048, _TALL: 0.048},
        max_images=16,
        masks=True,
        extra={"quality": "medium"},
        created_at=1_793_491_200,
    ),
)


@hookimpl
def register_models() -> Iterable[Entry]:
    """A model for each size, and a name for all sizes together."""
    return [entry for record in RECORDS for entry in entries_of(record)]
