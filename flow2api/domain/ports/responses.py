"""How results are written for clients that show them differently."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from flow2api.domain.media import MediaKind


@dataclass(frozen=True, slots=True)
class ShownResult:
    """One picture or video of an answer.

    Attributes:
        url: A link that opens it for a while without a key.
    """

    kind: MediaKind
    url: str
    content_type: str
    media_id: str


class ResponseShaper(Protocol):
    """Writes answers for one kind of client."""

    def chat_text(self, results: Sequence[ShownResult]) -> str:
        """What a chat message says that shows these results.

        It is called for each answer on the event loop, so it must not wait for anything. What it raises is logged, and the
        message is written as if no profile were chosen.
        """
        ...
