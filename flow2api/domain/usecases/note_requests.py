"""What is written down of each request, by what the operator wants kept."""

from collections.abc import Callable

from flow2api.domain.abridging import cut, prompt_as_kept
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import Journal, LogEntry
from flow2api.domain.ports.system import Clock
from flow2api.domain.redaction import redact_text
from flow2api.domain.request_log import ASKING, LONGEST_MESSAGE, REFUSED, Asking

UNAUTHENTICATED = 401
_LONGEST_MODEL = 200


class NoteRequests:
    """A journal that hands entries on with what belongs to their request, and without what is not to be kept.

    Nothing here waits, and nothing raises.

    Args:
        journal: What keeps the entries.
        status_of: The HTTP status that an error code has by itself; None stands for a good end.
    """

    def __init__(
        self,
        journal: Journal,
        options: Callable[[], Options],
        clock: Clock,
        status_of: Callable[[str | None], int],
    ) -> None:
        self._journal = journal
        self._options = options
        self._clock = clock
        self._status_of = status_of

    def asking(self, request_id: str) -> Asking:
        """What is to be learned of a request that begins now."""
        options = self._options()
        return Asking(request_id, keeps_body=options.log_bodies, prompts=options.log_prompts)

    def note(self, entry: LogEntry) -> None:
        """A generation has ended."""
        asking = ASKING.get()
        body = None
        if asking is not None:
            # Of several parts, the first one to end keeps what all of them were asked with.
            body, asking.body = asking.body, None
        self._journal.note(
            entry.changed(
                request_id=entry.request_id if asking is None else asking.request_id,
                status=self._status_of(entry.code),
                message=_sentence(entry.message),
                prompt=None if entry.prompt is None else prompt_as_kept(entry.prompt, self._options().log_prompts),
                body=body,
            )
        )

    def refused(self, asking: Asking, *, status: int, key_id: int | None, door: str, duration_ms: int) -> None:
        """A request was answered with an error, and nothing was begun for it.

        What nobody known has sent is only counted, and only when it was a key that did not fit.
        """
        if asking.has_begun or (key_id is None and status != UNAUTHENTICATED):
            return
        self._journal.note(
            LogEntry(
                at=self._clock.now(),
                request_id=asking.request_id,
                key_id=key_id,
                door=door,
                model=cut(redact_text(asking.model), _LONGEST_MODEL) if status != UNAUTHENTICATED else "",
                account_id=None,
                generation_id=None,
                state=REFUSED,
                code=asking.code or "error",
                duration_ms=duration_ms,
                status=status,
                message=_sentence(asking.message),
                body=asking.body,
            )
        )


def _sentence(text: str | None) -> str | None:
    return None if text is None else cut(redact_text(text), LONGEST_MESSAGE)
