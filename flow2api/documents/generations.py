"""Generations as JSON."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from flow2api.domain.choice import Choice
from flow2api.domain.generation import Generation


class ChoiceView(msgspec.Struct, frozen=True, kw_only=True):
    """How an account was chosen.

    Attributes:
        ready: How many accounts could have served.
        refused: How many could not, by reason.
        position: Its place in the waiting line when it began to wait; 0 when it did not.
    """

    policy: str
    ready: int
    refused: Mapping[str, int]
    why: str
    position: int
    waited_ms: int


class GenerationView(msgspec.Struct, frozen=True, kw_only=True):
    """A generation, without its prompt and inputs.

    Attributes:
        model: The name that was asked for; ``spec`` is the concrete model that serves it.
        attempts: How many submits were tried, on whatever account.
        choice: How the account of the latest attempt was chosen.
    """

    id: str
    state: str
    phase: str | None
    kind: str
    model: str
    spec: str
    door: str
    key_id: int | None
    account_id: int | None
    attempts: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    code: str | None
    message: str | None
    warnings: tuple[str, ...]
    choice: ChoiceView | None


def generation_view(generation: Generation) -> GenerationView:
    """A generation as it is shown."""
    fault = generation.fault
    return GenerationView(
        id=generation.id,
        state=generation.state.value,
        phase=None if generation.phase is None else generation.phase.value,
        kind=generation.kind.value,
        model=generation.model,
        spec=generation.spec_name,
        door=generation.door,
        key_id=generation.key_id,
        account_id=generation.account_id,
        attempts=generation.attempts,
        created_at=generation.created_at,
        started_at=generation.started_at,
        ended_at=generation.ended_at,
        code=None if fault is None else fault.code,
        message=None if fault is None else fault.message,
        warnings=generation.warnings,
        choice=None if generation.choice is None else _choice(generation.choice),
    )


def _choice(choice: Choice) -> ChoiceView:
    return ChoiceView(
        policy=choice.policy,
        ready=choice.ready,
        refused=dict(choice.refused),
        why=choice.why,
        position=choice.position,
        waited_ms=choice.waited_ms,
    )
