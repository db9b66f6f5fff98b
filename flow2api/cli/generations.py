"""``flow2api generations``: what was asked for, and how its account was chosen."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import click
import msgspec

from flow2api.cli.context import Installation, json_option, opened_storage, with_installation
from flow2api.cli.failures import Failure
from flow2api.cli.output import print_json, print_table
from flow2api.cli.tables import render_facts
from flow2api.documents.generations import ChoiceView, generation_view
from flow2api.domain.errors import GenerationNotFoundError, describe_reasons
from flow2api.domain.generation import Generation, State
from flow2api.domain.media import MediaKind
from flow2api.domain.ports.storage import GenerationFilter
from flow2api.domain.prompt_search import LONGEST_TEXT, words_of
from flow2api.domain.usecases.find_prompts import LOOKED_AT, FindPrompts
from flow2api.domain.usecases.look_up_generations import LARGEST_PAGE, LookUpGenerations

T = TypeVar("T")


@click.group()
def generations() -> None:
    """What was asked for."""


@generations.command("list")
@click.option("--key", "key_id", type=click.IntRange(min=1), metavar="ID", help="Of the key with this id.")
@click.option("--account", "account_id", type=click.IntRange(min=1), metavar="ID", help="Of the account with this id.")
@click.option("--kind", type=click.Choice([one.value for one in MediaKind]), help="Pictures or videos.")
@click.option("--state", type=click.Choice([one.value for one in State]), help="That stand so.")
@click.option("--model", help="Of this model, by the name that was asked for.")
@click.option(
    "--words",
    default="",
    metavar="TEXT",
    help=f"With all of these words in the prompt, in capitals or not; looks through {LOOKED_AT:,} at a time.",
)
@click.option("--limit", type=click.IntRange(1, LARGEST_PAGE), default=50, show_default=True, help="How many at most.")
@click.option("--after", metavar="ID", help="Only those that were added before this one.")
@json_option
@with_installation
def list_generations(
    here: Installation,
    key_id: int | None,
    account_id: int | None,
    kind: str | None,
    state: str | None,
    model: str | None,
    words: str,
    limit: int,
    after: str | None,
    as_json: bool,
) -> None:
    """Show generations, newest first, whether they run, have ended or were deleted.

    With --words there may be more where `next` is not null, though few or none are shown: go on with --after.

    JSON: {"generations": [...], "next": "..."}.
    """
    wanted = GenerationFilter(
        key_id=key_id,
        account_id=account_id,
        kind=None if kind is None else MediaKind(kind),
        state=None if state is None else State(state),
        model=model,
    )
    if len(words) > LONGEST_TEXT:
        raise click.UsageError(f"--words takes at most {LONGEST_TEXT} characters.")
    items, further = asyncio.run(_page(here, words, wanted, after, limit))
    shown = [generation_view(one) for one in items]
    if as_json:
        print_json({"generations": shown, "next": further})
        return
    print_table(
        ("ID", "STATE", "KIND", "MODEL", "KEY", "ACCOUNT", "TRIES", "CREATED", "CODE"),
        [
            (one.id, one.state, one.kind, one.model, one.key_id, one.account_id, one.attempts, one.created_at, one.code)
            for one in shown
        ],
        empty="There is no such generation.",
    )
    if words_of(words) and further is not None and len(shown) < limit:
        click.echo(f"Older ones were not looked at; go on with --after {further}.", err=True)


@generations.command("show")
@click.argument("generation_id", metavar="ID")
@json_option
@with_installation
def show(here: Installation, generation_id: str, as_json: bool) -> None:
    """Show one generation: how it went, and how its account was chosen.

    JSON: {"id": "gen_...", "state": "completed", "account_id": 1, "choice": {"policy": "least_busy", "ready": 3, "refused":
    {"busy": 2}, "why": "...", "position": 0, "waited_ms": 0}, ...}.
    """
    try:
        found = asyncio.run(_looked_up(here, lambda look_up: look_up.get(generation_id)))
    except GenerationNotFoundError as error:
        raise Failure(f"There is no generation {generation_id[:64]!r}.") from error
    shown = generation_view(found)
    if as_json:
        print_json(shown)
        return
    facts = {name: value for name, value in msgspec.structs.asdict(shown).items() if name not in ("choice", "warnings")}
    facts |= {"warnings": " ".join(shown.warnings) or None, **_told(shown.choice)}
    click.echo(render_facts([(name.replace("_", " "), value) for name, value in facts.items()]))


async def _page(
    here: Installation, words: str, wanted: GenerationFilter, after: str | None, limit: int
) -> tuple[Sequence[Generation], str | None]:
    """A page, and behind which one the next begins; None behind the last."""
    if words_of(words):
        async with opened_storage(here) as (storage, _):
            found = await FindPrompts(storage.generation_directory)(words, wanted, after=after, limit=limit)
        return found.items, found.further
    page = await _looked_up(here, lambda look_up: look_up.page(wanted, after=after, limit=limit))
    return page.items, page.items[-1].id if page.has_more else None


async def _looked_up(here: Installation, use: Callable[[LookUpGenerations], Awaitable[T]]) -> T:
    async with opened_storage(here) as (storage, _):
        return await use(LookUpGenerations(storage.generations, storage.generation_directory))


def _told(choice: ChoiceView | None) -> dict[str, object]:
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
