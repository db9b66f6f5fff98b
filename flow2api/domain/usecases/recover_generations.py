"""Goes on with what another process, or an earlier life of this one, has left."""

import logging
from collections.abc import Callable
from dataclasses import replace

from flow2api.domain.catalog import ModelCatalog
from flow2api.domain.errors import StorageError
from flow2api.domain.generation import Fault, Generation
from flow2api.domain.ports.storage import Generations
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.job import Audience, Job
from flow2api.domain.usecases.work import Work

log = logging.getLogger(__name__)

_BATCH = 200
_MOST_RESCUES = 3


class RecoverGenerations:
    """Keeps this process the owner of its generations, and becomes the owner of those that nobody renews any more.

    One rule serves for a crash on one machine and for the loss of one of many processes.
    """

    def __init__(
        self,
        work: Work,
        catalog: ModelCatalog,
        generations: Generations,
        audience: Audience,
        clock: Clock,
        *,
        lease_s: float = 45.0,
        tag_of: Callable[[int | None], str | None],
    ) -> None:
        """Put it together.

        Args:
            tag_of: The tag of accounts to which an API key is bound.
        """
        self._work = work
        self._catalog = catalog
        self._generations = generations
        self._audience = audience
        self._clock = clock
        self._lease_s = lease_s
        self._tag_of = tag_of
        self._unattended = frozenset[str]()

    async def run(self) -> None:
        """Renew and take over, for ever; both about four times in the life of a lease. A server that stops only renews."""
        is_told = False
        while True:
            try:
                held = await self._generations.renew(self._work.owner, self._lease_s)
                if self._work.is_open:
                    await self._attend(held)
                    await self.take_over()
                is_told = False
            except StorageError as error:
                if not is_told:
                    log.warning("leases not renewed: %s", error.message)
                is_told = True
            await self._clock.sleep(self._lease_s / 4.5)

    async def take_over(self) -> int:
        """Take over what nobody owns any more.

        Returns:
            How many generations that were.
        """
        taken = 0
        while batch := await self._generations.take_over(self._work.owner, self._lease_s, _BATCH):
            taken += len(batch)
            for generation in batch:
                await self._go_on(generation)
            if len(batch) < _BATCH:
                break
        if taken:
            log.info("generations taken over", extra={"count": taken})
        return taken

    async def _attend(self, held: int) -> None:
        """Go on with rows that this process holds and nobody works on, such as one whose end could not be written.

        It takes two looks, for one that is just being begun is not yet worked on.
        """
        unattended = frozenset[str]()
        if held > self._work.rows:
            unattended = frozenset(await self._generations.held(self._work.owner))
        for generation_id in unattended & self._unattended:
            generation = None if generation_id in self._work else await self._generations.get(generation_id)
            if generation is not None and generation.owner == self._work.owner and not generation.state.is_final:
                log.warning("generation without a job", extra={"generation_id": generation_id})
                rescued = generation.changed(rescues=generation.rescues + 1)
                if await self._generations.save(rescued):
                    await self._go_on(rescued)
        self._unattended = frozenset(one for one in unattended if one not in self._work)

    async def _go_on(self, generation: Generation) -> None:
        job = self._work.job(generation.id)
        if job is not None and job.keep(generation):
            return
        spec = self._catalog.spec(generation.spec_name)
        if spec is None:
            await self._give_up(generation, Fault("model_not_found", "The model was removed while the work was on."))
        elif generation.rescues > _MOST_RESCUES:
            await self._give_up(
                generation, Fault("poison", f"The work was begun {generation.rescues} times and never came to its end.")
            )
        else:
            job = Job(
                replace(generation, owner=self._work.owner),
                spec,
                generations=self._generations,
                audience=self._audience,
                clock=self._clock,
                lease_s=self._lease_s,
                tag=self._tag_of(generation.key_id),
                is_stored=True,
                is_accepted=True,
            )
            self._work.start(job, resumed=True)

    async def _give_up(self, generation: Generation, fault: Fault) -> None:
        try:
            await self._generations.save(generation.failed(fault, self._clock.now()))
        except StorageError:
            # The others of the batch are owned by now and must be begun; this one is found again after the next start.
            log.exception("end of a generation not written", extra={"generation_id": generation.id})
