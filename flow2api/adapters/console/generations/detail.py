"""All that is known of one generation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flow2api.adapters.console.account_reasons import reason_words
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.generations.course import LOST, WAIT, course_of
from flow2api.adapters.console.generations.curl import as_curl
from flow2api.adapters.console.generations.gallery import Tile, tile_of
from flow2api.adapters.console.generations.names import Named, Names, names_of
from flow2api.adapters.console.generations.rows import Row, row_of, title_of
from flow2api.adapters.console.generations.states import input_words, phase_words
from flow2api.adapters.console.language import gettext, ngettext, retold
from flow2api.adapters.console.visit import Visit
from flow2api.adapters.console.wording import duration, number
from flow2api.domain.catalog import CostUnit
from flow2api.domain.choice import Choice
from flow2api.domain.generation import Generation, InputRole, Phase, State
from flow2api.domain.media import CONTENT_TYPES, Media
from flow2api.domain.redaction import redact_text
from flow2api.domain.usecases.follow_generations import Lineage

_COLOURS = {WAIT: "co", LOST: "ce", Phase.POLLING: "c1", Phase.SUBMITTING: "c1", Phase.STORING: "c2"}


@dataclass(frozen=True, slots=True)
class Event:
    """What happened at a moment.

    Attributes:
        kind: Its colour: ``ok``, ``err``, ``run`` or nothing.
        code: The stable code of an error.
    """

    at: datetime
    kind: str
    symbol: str
    words: str
    account: Named
    beside: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class TimePart:
    """What a part of the time went into; ``x`` and ``width`` are thousandths of the whole."""

    words: str
    seconds: float
    colour: str
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class InputView:
    """An input; its address is empty when it is not kept any more."""

    words: str
    preview: str
    origin: str


@dataclass(frozen=True, slots=True)
class Relative:
    """A generation that this one came from, or that came of it."""

    path: str
    title: str
    model: str
    preview: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """The page.

    Attributes:
        row: What the list tells of it, too.
        left_out: Accounts that could not serve, by reason in words.
    """

    generation: Generation
    row: Row
    tiles: Sequence[Tile]
    gone: int
    events: Sequence[Event]
    choice: Choice | None
    left_out: Sequence[tuple[str, int]]
    times: Sequence[TimePart]
    cost: str
    inputs: Sequence[InputView]
    parent: Relative | None
    siblings: Sequence[Relative]
    children: Sequence[Relative]
    curl: str

    @property
    def title(self) -> str:
        """The prompt as a headline."""
        title = self.row.title
        return title if len(title) <= 90 else f"{title[:90].rstrip(' …')}…"


async def look(visit: Visit, generation_id: str) -> Detail:
    """The page about one generation.

    Raises:
        GenerationNotFoundError: There is none with this id.
    """
    doors = visit.doors
    found = await doors.follow.get(generation_id)
    if not found.generation.state.is_final:
        await doors.foresee_ends.learn()
    generation, names, now = found.generation, await names_of(doors), doors.clock.now()
    lineage = await doors.follow.lineage(generation)
    related = (*((lineage.parent,) if lineage.parent else ()), *lineage.siblings, *lineage.children)
    kept = await doors.follow.results((generation, *related))
    tiles = [
        tile_of(doors, generation, kept[one])
        for one in generation.results
        if one in kept and not kept[one].is_expired(now)
    ]

    def relative(one: Generation) -> Relative:
        return _relative(one, kept)

    choice = generation.choice
    return Detail(
        generation=generation,
        row=row_of(found, names, now, doors.foresee_ends.left(generation)),
        tiles=tiles,
        gone=len(generation.results) - len(tiles),
        events=_events(generation, names),
        choice=choice,
        left_out=[] if choice is None else [(reason_words(name), count) for name, count in choice.refused.items()],
        times=_times(generation),
        cost=_cost(doors, generation),
        inputs=_inputs(generation, lineage),
        parent=None if lineage.parent is None else relative(lineage.parent),
        siblings=[relative(one) for one in lineage.siblings],
        children=[relative(one) for one in lineage.children],
        curl=as_curl(generation, doors.base_url_of(visit.request.scope)),
    )


def _events(generation: Generation, names: Names) -> Sequence[Event]:
    began = generation.created_at
    door = gettext("by %(key)s, through %(door)s") % {
        "door": generation.door or gettext("unknown"),
        "key": names.key(generation.key_id).words,
    }
    events = [Event(began, "", "inbox", gettext("Asked for"), Named(""), door)]
    for index, one in enumerate(generation.failed_attempts, 1):
        sentence = gettext("%(message)s (after %(time)s, at: %(phase)s)") % {
            "message": redact_text(retold(one.message)),
            "time": duration(one.took_ms / 1000),
            "phase": phase_words(one.phase),
        }
        words = gettext("Attempt %(number)s failed") % {"number": index}
        at = began + timedelta(milliseconds=one.at_ms)
        events.append(Event(at, "err", "x", words, names.account(one.account_id), sentence, one.code))
    if not generation.state.is_final:
        step = phase_words(generation.phase, generation.stage)
        events.append(
            Event(
                began + timedelta(milliseconds=_last_ms(generation)),
                "run",
                "loader",
                step,
                names.account(generation.account_id),
            )
        )
    else:
        events.append(_end(generation, names))
    return events


def _end(generation: Generation, names: Names) -> Event:
    at = generation.ended_at or generation.created_at
    account = names.account(generation.account_id)
    if generation.state is State.COMPLETED:
        count = len(generation.results)
        kept = ngettext("%(num)s file kept", "%(num)s files kept", count) % {"num": count}
        return Event(at, "ok", "check", gettext("Done"), account, kept)
    fault, failed = generation.fault, generation.failed_attempts
    if fault is not None and failed and (failed[-1].code, failed[-1].message) == (fault.code, fault.message):
        return Event(at, "err", "x", gettext("Failed"), Named(""), gettext("It was not tried again."))
    sentence = "" if fault is None else redact_text(retold(fault.message))
    code = "" if fault is None else fault.code
    if generation.state is State.CANCELLED:
        return Event(at, "", "ban", gettext("Cancelled"), account)
    return Event(at, "err", "x", gettext("Failed"), Named(""), sentence, code)


def _last_ms(generation: Generation) -> int:
    """When it went into the phase that it is in."""
    return generation.passages[-1].at_ms if generation.passages else 0


def _times(generation: Generation) -> Sequence[TimePart]:
    """What is over; the phase that it is in has no length yet, so that a page that is looked at need not change."""
    if not generation.passages:
        return []
    ended_at = generation.ended_at
    total_ms = _last_ms(generation) if ended_at is None else generation.age_ms(ended_at)
    return [
        TimePart(
            _part_words(one.name),
            one.ms / 1000,
            _COLOURS.get(one.name, "cr"),
            round(one.start * 1000, 1),
            round(one.share * 1000, 1),
        )
        for one in course_of(generation, total_ms)
    ]


def _part_words(name: str) -> str:
    if name == LOST:
        return gettext("Lost in failed attempts")
    return gettext("Waiting for an account") if name == WAIT else phase_words(Phase(name))


def _cost(doors: ConsoleDoors, generation: Generation) -> str:
    spec = doors.catalog.spec(generation.spec_name)
    if spec is None:
        return gettext("unknown: the model is not offered any more")
    if not spec.costs:
        return gettext("nothing: this model is free")
    if generation.state is not State.COMPLETED:
        return gettext("nothing yet") if not generation.state.is_final else gettext("nothing was made")
    account = None if generation.account_id is None else doors.account_of(generation.account_id)
    price = spec.cost(None if account is None else account.tier)
    if spec.cost_unit is CostUnit.USD_MILLIS:
        return gettext("%(price)s US dollars, by the price list") % {"price": number(price / 1000, 3)}
    return ngettext("%(count)s credit, by the price list", "%(count)s credits, by the price list", price) % {
        "count": number(price)
    }


def _inputs(generation: Generation, lineage: Lineage) -> Sequence[InputView]:
    kept = {one.id: one for one in lineage.inputs}
    return [_input(one.role, kept.get(one.media_id)) for one in generation.inputs]


def _input(role: InputRole, media: Media | None) -> InputView:
    words = input_words(role, None if media is None else media.kind)
    if media is None:
        return InputView(words, "", "")
    can_show = media.content_type in CONTENT_TYPES
    origin = f"/console/generations/{media.generation_id}" if media.generation_id else ""
    return InputView(words, f"/console/media/{media.id}/preview" if can_show else "", origin)


def _relative(one: Generation, kept: dict[str, Media]) -> Relative:
    media_id = next((result for result in one.results if result in kept), "")
    preview = f"/console/media/{media_id}/preview" if media_id else ""
    return Relative(f"/console/generations/{one.id}", title_of(one), one.model, preview)
