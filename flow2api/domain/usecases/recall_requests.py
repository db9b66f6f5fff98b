"""Whether a request repeats an earlier one: by its idempotency key, or by what it asks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from flow2api.domain.api_key import Caller
from flow2api.domain.errors import IdempotencyConflictError
from flow2api.domain.generation import Generation, GenerationRequest
from flow2api.domain.key_lines import KeyLines
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import Generations, IdempotencyClaim
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.work import Work

_LEAST_REMEMBERED = 256
_REPEATED_WITHIN = timedelta(minutes=3)
"""For how long after its end a repeat hears of what has spent credits: a restart lies in between, and the client's pauses."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """What tells a repeat from a new request.

    Attributes:
        key: The caller's ``Idempotency-Key``, if there was one.
        body_digest: SHA-256 of what was asked.
        is_retry: The client says that it has sent the same before.
    """

    key: str | None
    body_digest: bytes
    is_retry: bool = False


class RecallRequests:
    """Tells what an earlier request of the same line of keys has begun, so that one that repeats it begins nothing."""

    def __init__(
        self, work: Work, generations: Generations, clock: Clock, options: Callable[[], Options], lines: KeyLines
    ) -> None:
        self._work = work
        self._generations = generations
        self._clock = clock
        self._options = options
        self._lines = lines
        self._running: dict[tuple[int, bytes], tuple[Generation, ...]] = {}
        self._prune_at = _LEAST_REMEMBERED

    async def earlier(
        self, request: GenerationRequest, caller: Caller, idempotency: Idempotency | None
    ) -> Sequence[Generation]:
        """The generations that were begun for this request before, if it is a repeat.

        Raises:
            IdempotencyConflictError: The idempotency key was used with another body.
        """
        if idempotency is None:
            return ()
        if idempotency.key is None:
            return await self._repeated(request, caller, idempotency) if idempotency.is_retry else ()
        claim = await self._generations.claimed(_line_of(caller), idempotency.key)
        if claim is None:
            return ()
        if claim.body_digest != idempotency.body_digest:
            raise IdempotencyConflictError(
                "This Idempotency-Key was used before with another body; use a new key for a new request.",
                param="Idempotency-Key",
            )
        return await self._generations.of_group(claim.group_id)

    def were_refused(self, parts: Sequence[Generation]) -> bool:
        """Whether the pool refused every one of them, so that a repeat may try again."""
        return all(self._as_known(part).was_refused for part in parts)

    def claim(
        self, parts: Sequence[Generation], caller: Caller, idempotency: Idempotency | None, refused: str | None
    ) -> IdempotencyClaim | None:
        """What is stored with new generations so that repeats find them; None without an idempotency key.

        Args:
            refused: The group of an earlier request with the same key that the pool refused.
        """
        if idempotency is None or idempotency.key is None:
            return None
        return IdempotencyClaim(
            key_id=_line_of(caller),
            idempotency_key=idempotency.key,
            body_digest=idempotency.body_digest,
            group_id=parts[0].group_id,
            expires_at=self._clock.now() + timedelta(hours=self._options().idempotency_h),
            in_place_of=refused,
        )

    def remember(self, caller: Caller, idempotency: Idempotency, parts: tuple[Generation, ...]) -> None:
        """Know what runs here by what was asked."""
        if len(self._running) >= self._prune_at:
            self._running = {
                key: kept for key, kept in self._running.items() if any(one.id in self._work for one in kept)
            }
            self._prune_at = max(_LEAST_REMEMBERED, 2 * len(self._running))
        self._running[caller.line_id, idempotency.body_digest] = parts

    def _running_twin(self, caller: Caller, idempotency: Idempotency) -> Sequence[Generation]:
        parts = self._running.get((caller.line_id, idempotency.body_digest), ())
        return parts if any(self._can_be_joined(part) for part in parts) else ()

    async def _repeated(
        self, request: GenerationRequest, caller: Caller, idempotency: Idempotency
    ) -> Sequence[Generation]:
        """What a client repeats that sends no key: what runs here, or what spends and was begun before a restart."""
        twin = self._running_twin(caller, idempotency)
        if twin or all(one.spec.is_free for one in (request, *request.others)):
            return twin
        since = self._clock.now() - _REPEATED_WITHIN
        keys = self._lines.keys_of(caller)
        found = await self._generations.repeated(keys, idempotency.body_digest, ended_since=since)
        return () if all(part.may_be_repeated for part in found) else found

    def _as_known(self, part: Generation) -> Generation:
        """With its end, though that may not be written yet."""
        job = self._work.job(part.id)
        return job.generation if job is not None and job.is_over else part

    def _can_be_joined(self, part: Generation) -> bool:
        job = self._work.job(part.id)
        return job is not None and (job.is_stored or job.can_be_joined)


def _line_of(caller: Caller) -> int | None:
    return caller.line_id or None
