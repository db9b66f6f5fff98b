"""A pool in which no account has the plan that a request would like."""

from collections.abc import AsyncGenerator

from flow2api.domain.api_key import Caller
from flow2api.domain.generation import GenerationEvent, GenerationRequest
from flow2api.domain.usecases.recall_requests import Idempotency
from tests.fakes.use_cases import FakeGenerate


class PoolWithoutThePlan(FakeGenerate):
    """Makes the modest form of a request wherever it has one."""

    async def __call__(
        self, request: GenerationRequest, caller: Caller, *, idempotency: Idempotency | None = None
    ) -> AsyncGenerator[GenerationEvent, None]:
        return await super().__call__(request.modest or request, caller, idempotency=idempotency)
