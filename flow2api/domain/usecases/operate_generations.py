"""What operators do with generations: end them, repeat them, delete what came of them."""

from collections.abc import Sequence
from dataclasses import replace

from flow2api.domain.api_key import Caller
from flow2api.domain.audit import Actor, AuditAction, AuditEntry
from flow2api.domain.catalog import ModelCatalog
from flow2api.domain.errors import (
    ConflictError,
    GenerationNotFoundError,
    MediaGoneError,
    StorageError,
    UnknownModelError,
)
from flow2api.domain.generation import Generation, GenerationRequest, InputRole
from flow2api.domain.media import MediaRole
from flow2api.domain.ports.audit_log import AuditLog
from flow2api.domain.ports.media import MediaStore
from flow2api.domain.ports.storage import Generations, MediaIndex
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.generate import Generate
from flow2api.domain.usecases.purge_media import let_go
from flow2api.domain.usecases.work import Work

OPERATOR = Caller(key_id=None)
DOOR = "console"

_TRIES = 3
"""How often a cancellation is written while other processes take the generation over."""


class OperateGenerations:
    """Everything is put down in the audit log, before it is done where it destroys something."""

    def __init__(
        self,
        work: Work,
        generate: Generate,
        catalog: ModelCatalog,
        generations: Generations,
        media: MediaIndex,
        store: MediaStore,
        audit_log: AuditLog,
        clock: Clock,
    ) -> None:
        self._work = work
        self._generate = generate
        self._catalog = catalog
        self._generations = generations
        self._media = media
        self._store = store
        self._audit_log = audit_log
        self._clock = clock

    async def cancel(self, generation_id: str, actor: Actor) -> None:
        """End one that waits or runs, in whatever process that is.

        Raises:
            GenerationNotFoundError: There is none with this id.
            ConflictError: It had ended before.
        """
        job = self._work.job(generation_id)
        generation = job.generation if job is not None else await self._known(generation_id)
        self._check_unfinished(generation)
        await self._note(actor, AuditAction.GENERATION_CANCELLED, generation_id)
        if not await self._work.cancel(generation_id):
            await self._cancel_elsewhere(generation)

    async def repeat(self, generation_id: str, actor: Actor, *, elsewhere: bool = False) -> Generation:
        """Ask for the same once more, as the operator's own.

        Args:
            elsewhere: Not on the accounts that the first one was tried on.

        Returns:
            The first part of the new request.

        Raises:
            GenerationNotFoundError: There is none with this id.
            ConflictError: It has not ended, or can be made nowhere else.
            UnknownModelError: Its model is not served any more.
            MediaGoneError: An input is not kept any more.
            StorageError: It could not be put down who asks, and what was begun was stopped.
        """
        request = await self._request_of(await self._known(generation_id), elsewhere=elsewhere)
        parts = await self._generate.begin(request, OPERATOR)
        details = {"as": parts[0].id, "elsewhere": elsewhere}
        try:
            await self._note(actor, AuditAction.GENERATION_REPEATED, generation_id, **details)
        except StorageError:
            for part in parts:
                await self._work.cancel(part.id)
            raise
        return parts[0]

    async def delete_results(self, media_ids: Sequence[str], actor: Actor) -> int:
        """Let go of results before their time; the records of their generations stay.

        Returns:
            How many there were.
        """
        found = [one for one in await self._media.get(media_ids) if one.role is MediaRole.RESULT]
        if not found:
            return 0
        named_at = {one.sha256: one.created_at for one in found}
        ids = [one.id for one in found]
        await self._note(actor, AuditAction.MEDIA_DELETED, ids[0] if len(ids) == 1 else None, ids=ids)
        for sha256 in await self._media.remove(ids):
            await let_go(self._store, sha256, named_at[sha256])
        return len(ids)

    async def _request_of(self, generation: Generation, *, elsewhere: bool) -> GenerationRequest:
        if not generation.state.is_final:
            raise ConflictError("It has not ended yet; cancel it first, or wait.")
        if elsewhere and not may_move(generation):
            raise ConflictError("It builds on what only one account has, so it can be made nowhere else.")
        spec = self._catalog.spec(generation.spec_name)
        if spec is None:
            raise UnknownModelError(generation.spec_name)
        wanted = {one.media_id for one in generation.inputs}
        if len(await self._media.get(sorted(wanted))) < len(wanted):
            raise MediaGoneError("An input of it is not kept any more; ask for it anew with the picture.")
        return GenerationRequest(
            model=generation.model,
            spec=spec,
            prompt=generation.prompt,
            inputs=generation.inputs,
            count=generation.count,
            seed=generation.seed,
            size=generation.size,
            seconds=generation.seconds,
            parent_id=generation.parent_id,
            door=DOOR,
            avoid=tried(generation) if elsewhere else frozenset(),
        )

    async def _cancel_elsewhere(self, generation: Generation) -> None:
        """Another process works on it, and learns by the fence that it must stop."""
        for _ in range(_TRIES):
            self._check_unfinished(generation)
            ended = replace(generation.cancelled(self._clock.now()), fence=generation.fence + 1)
            if await self._generations.save(ended):
                return
            generation = await self._known(generation.id)
        raise ConflictError("Other processes are taking it over just now; try again in a moment.")

    async def _known(self, generation_id: str) -> Generation:
        found = await self._generations.get(generation_id)
        if found is None:
            raise GenerationNotFoundError(generation_id)
        return found

    async def _note(self, actor: Actor, action: AuditAction, subject: str | None, **details: object) -> None:
        entry = AuditEntry(at=self._clock.now(), actor=actor, action=action, subject=subject, details=details)
        await self._audit_log.note(entry)

    def _check_unfinished(self, generation: Generation) -> None:
        if generation.state.is_final:
            raise ConflictError(f"It had ended before: {generation.state.value}.")


def may_move(generation: Generation) -> bool:
    """Whether another account could make it."""
    return all(one.role is not InputRole.SOURCE for one in generation.inputs)


def tried(generation: Generation) -> frozenset[int]:
    """The accounts that it was tried on."""
    last = () if generation.account_id is None else (generation.account_id,)
    return frozenset((*(one.account_id for one in generation.failed_attempts), *last))
