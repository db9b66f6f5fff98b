"""``flow2api generations``: what was asked for, and how its account was chosen."""

import asyncio
from datetime import datetime

import click
import msgspec

from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.failures import Failure
from flow2api.cli.output import print_json
from flow2api.cli.tables import render_facts
from flow2api.domain.choice import Choice
from flow2api.domain.errors import describe_reasons
from flow2api.domain.generation import Generation


class GenerationOut(msgspec.Struct, frozen=True, kw_only=True):
    """A generation as JSON, without its prompt and inputs.

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
    choice: Choice | None


@click.group()
def generations() -> None:
    """What was asked for."""


@generations.command("show")
@click.argument("generation_id", metavar="ID")
@json_option
@with_installation
def show(here: Installation, generation_id: str, as_json: bool) -> None:
    """Show one generation: how it went, and how its account was chosen.

    JSON: {"id": "gen_...", "state": "completed", "account_id": 1, "choice": {"policy": "least_busy", "ready": 3, "refused":
    {"busy": 2}, "why": "...", "position": 0, "waited_ms": 0}, ...}.
    """
    found = asyncio.run(_found(here, generation_id))
    if found is None:
        raise Failure(f"There is no generation {generation_id[:64]!r}.")
    shown = generation_out(found)
    if as_json:
        print_json(shown)
        return
    facts = {name: value for name, value in msgspec.structs.asdict(shown).items() if name not in ("choice", "warnings")}
    facts |= {"warnings": " ".join(shown.warnings) or None, **_told(shown.choice)}
    click.echo(render_facts([(name.replace("_", " "), value) for name, value in facts.items()]))


def generation_out(generation: Generation) -> GenerationOut:
    """What operators are shown of a generation."""
    fault = generation.fault
    return GenerationOut(
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
        choice=generation.choice,
    )


async def _found(here: Installation, generation_id: str) -> Generation | None:
    async with opened_storage(here) as (storage, _):
        return await storage.generations.get(generation_id)


def _told(choice: Choice | None) -> dict[str, object]:
    if choice is None:
        return {"choice": None}
    waited = f"position {choice.position}, {choice.waited_ms} ms" if choice.position else "no"
    return {
        "policy": choice.policy,
        "why": choice.why,
        "accounts ready": choice.ready,
        "accounts refused": describe_reasons(choice.refused) if choice.refused else "none",
        "waited": waited,
    }
