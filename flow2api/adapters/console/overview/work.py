"""What is under way, and what was made last."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from flow2api.adapters.console.account_states import name_of
from flow2api.adapters.console.doors import ConsoleDoors
from flow2api.adapters.console.language import gettext
from flow2api.adapters.console.remaining import remaining_words
from flow2api.adapters.console.wording import duration
from flow2api.domain.generation import Generation, State
from flow2api.domain.media import MediaKind
from flow2api.domain.usecases.job import Job

SHOWN = 6
_LONGEST = 90


@dataclass(frozen=True, slots=True)
class Running:
    """A generation that is under way.

    Attributes:
        progress: 0 to 100; None while nothing is known of it.
        step: What it is doing, or how long it has been at it.
        left: How much longer it may take; empty where that cannot be told, and where there is more to say of its attempts.
    """

    id: str
    path: str
    title: str
    about: str
    progress: int | None
    step: str
    left: str


@dataclass(frozen=True, slots=True)
class Result:
    """Something that was made.

    Attributes:
        preview: The address of a small picture of it; empty when its file is not kept any more.
    """

    path: str
    preview: str
    title: str
    model: str
    is_video: bool
    length: str
    at: datetime | None


async def under_way(doors: ConsoleDoors) -> tuple[int, Sequence[Running]]:
    """How many this process works on, and those of them that are furthest."""
    now = doors.clock.now()
    open_ones = [job for job in doors.work.jobs if not job.is_over]
    if open_ones:
        await doors.foresee_ends.learn()
    running = sorted(open_ones, key=lambda job: (job.generation.state is State.QUEUED, job.generation.created_at))
    return len(open_ones), tuple(_running(job, doors, now) for job in running[:SHOWN])


def results(doors: ConsoleDoors, made: Sequence[Generation]) -> Sequence[Result]:
    """The newest results."""
    now = doors.clock.now()
    return tuple(_results(made, now))


def title_of(generation: Generation) -> str:
    """The prompt in one line, cut."""
    text = " ".join(generation.prompt.split())
    if not text:
        return gettext("Without a prompt")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()}…"


def _running(job: Job, doors: ConsoleDoors, now: datetime) -> Running:
    generation = job.generation
    account = None if generation.account_id is None else doors.account_of(generation.account_id)
    about = generation.model if account is None else f"{generation.model}, {name_of(account)}"
    is_known = generation.state is State.RUNNING and generation.progress > 0
    return Running(
        id=generation.id,
        path=f"/console/generations/{generation.id}",
        title=title_of(generation),
        about=about,
        progress=generation.progress if is_known else None,
        step=_step(job, now),
        left="" if generation.attempts > 1 else remaining_words(doors.foresee_ends.left(generation)),
    )


def _step(job: Job, now: datetime) -> str:
    turn = job.stands()
    if turn is not None:
        return gettext("place %(place)s in line") % {"place": turn.position}
    generation = job.generation
    since = duration(max(1.0, round((now - generation.created_at).total_seconds())))
    if generation.attempts > 1:
        return gettext("attempt %(number)s, for %(since)s") % {"number": generation.attempts, "since": since}
    return gettext("for %(since)s") % {"since": since}


def _results(made: Sequence[Generation], now: datetime) -> Iterator[Result]:
    for one in made:
        is_kept = bool(one.results) and (one.expires_at is None or one.expires_at > now)
        yield Result(
            path=f"/console/generations/{one.id}",
            preview=f"/console/media/{one.results[0]}/preview" if is_kept else "",
            title=title_of(one),
            model=one.model,
            is_video=one.kind is MediaKind.VIDEO,
            length=gettext("%(count)s s") % {"count": one.seconds} if one.seconds else "",
            at=one.ended_at,
        )
