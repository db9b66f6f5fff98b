"""Telling the caller what was rounded, replaced or ignored, so that nothing is lost in silence."""

import json
from collections.abc import Iterable

from flow2api.adapters.openai_api.cors import HeaderList

_LONGEST_HEADER = 4096


def unique(*groups: Iterable[str]) -> tuple[str, ...]:
    """All sentences once, in the order in which they first came."""
    return tuple(dict.fromkeys(sentence for group in groups for sentence in group))


def warning_headers(sentences: Iterable[str]) -> HeaderList:
    """``x-flow2api-warnings``: an ASCII JSON list of sentences; nothing when there are none.

    A list that would be too long for a header is cut at the end, and says so.
    """
    listed = list(sentences)
    if not listed:
        return []
    text = _ascii_json(listed)
    kept = len(listed)
    while len(text) > _LONGEST_HEADER and kept:
        kept -= 1
        text = _ascii_json([*listed[:kept], f"{len(listed) - kept} more."])
    return [(b"x-flow2api-warnings", text)]


def _ascii_json(sentences: list[str]) -> bytes:
    return json.dumps(sentences).encode("ascii")
