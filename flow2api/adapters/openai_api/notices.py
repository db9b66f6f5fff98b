"""Telling the caller what was rounded, replaced or ignored, so that nothing is lost in silence."""

import json
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from flow2api.adapters.openai_api.cors import HeaderList

_LONGEST_HEADER = 4096
_ROOM_FOR_NOTE = 32


def unique(*groups: Iterable[str]) -> tuple[str, ...]:
    """All sentences once, in the order in which they first came."""
    return tuple(dict.fromkeys(sentence for group in groups for sentence in group))


def warning_headers(sentences: Iterable[str]) -> HeaderList:
    """``x-flow2api-warnings``: an ASCII JSON list of sentences; nothing when there are none.

    A list that would be too long for a header is cut at the end, and says so.
    """
    listed = [json.dumps(sentence).encode("ascii") for sentence in sentences]
    if not listed:
        return []
    lengths = list(accumulate(len(one) + 2 for one in listed))
    kept = len(listed)
    if lengths[-1] > _LONGEST_HEADER:
        kept = bisect_right(lengths, _LONGEST_HEADER - _ROOM_FOR_NOTE)
    dropped = len(listed) - kept
    note = [b'"%d more."' % dropped] if dropped else []
    return [(b"x-flow2api-warnings", b"[%s]" % b", ".join([*listed[:kept], *note]))]
