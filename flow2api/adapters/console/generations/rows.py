"""One generation as a row of a list."""

from dataclasses import dataclass
from datetime import datetime

from flow2api.adapters.console.generations.names import Named, Names
from flow2api.adapters.console.generations.states import StateWords, phase_words, state_name, state_words
from flow2api.adapters.console.language import gettext, retold
from flow2api.adapters.console.remaining import remaining_words
from flow2api.adapters.console.wording import duration
from flow2api.domain.generation import Generation, State
from flow2api.domain.redaction import redact_text
from flow2api.domain.remaining_time import Remaining
from flow2api.domain.usecases.follow_generations import UnderWay
from flow2api.domain.usecases.operate_generations import may_move
from flow2api.domain.waiting_line import Turn

_LONGEST_SHOWN = 140
_LONGEST_REASON = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row.

    Attributes:
        title: The prompt, cut; a stand-in when there is none.
        progress: 0 to 100; None where nothing is known of it.
        step: What is done now.
        beside: What there is to say of it besides: why it waits, or what the last account met.
        left: How much longer it may take; empty where that cannot be told.
        took_s: From when it was asked for to its end, or to now.
        reason: Why it came to nothing.
        may_move: Whether it can be repeated on another account.
    """

    id: str
    title: str
    model: str
    state: StateWords
    is_final: bool
    progress: int | None
    step: str
    beside: str
    left: str
    account: Named
    key: Named
    created_at: datetime
    took_s: float
    reason: str
    may_move: bool

    @property
    def path(self) -> str:
        """The page about it."""
        return f"/console/generations/{self.id}"


def row_of(one: UnderWay, names: Names, now: datetime, left: Remaining | None = None) -> Row:
    """A generation as a row.

    Args:
        left: How much longer it may take.
    """
    generation = one.generation
    return Row(
        id=generation.id,
        title=title_of(generation),
        model=generation.model,
        state=state_words(state_name(generation)),
        is_final=generation.state.is_final,
        progress=generation.progress if generation.state is State.RUNNING and generation.progress else None,
        step=_step(generation, one.turn),
        beside=_beside(generation, one.turn),
        left=remaining_words(left),
        account=names.account(generation.account_id if generation.state is not State.QUEUED else None),
        key=names.key(generation.key_id),
        created_at=generation.created_at,
        took_s=took_s(generation, now),
        reason=reason_of(generation),
        may_move=generation.account_id is not None and may_move(generation),
    )


def took_s(generation: Generation, now: datetime) -> float:
    """How long it took, or has taken so far."""
    return max(0.0, ((generation.ended_at or now) - generation.created_at).total_seconds())


def title_of(generation: Generation) -> str:
    """The prompt, cut."""
    text = " ".join(generation.prompt.split())
    if not text:
        return gettext("Without a prompt")
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN].rstrip()}…"


def reason_of(generation: Generation) -> str:
    """Why it came to nothing, in a sentence; empty when it did not."""
    if generation.fault is None or generation.state is not State.FAILED:
        return ""
    return redact_text(retold(generation.fault.message))[:_LONGEST_REASON]


def _step(generation: Generation, turn: Turn | None) -> str:
    if turn is not None:
        if turn.starts_in_s is None:
            return gettext("Place %(place)s in line") % {"place": turn.position}
        values = {"place": turn.position, "wait": duration(max(1.0, round(turn.starts_in_s)))}
        return gettext("Place %(place)s in line, starts in about %(wait)s") % values
    words = phase_words(generation.phase, generation.stage)
    if generation.state is State.RUNNING and generation.progress:
        return gettext("%(phase)s, %(percent)s %%") % {"phase": words, "percent": generation.progress}
    return words


def _beside(generation: Generation, turn: Turn | None) -> str:
    if generation.failed_attempts:
        count = len(generation.failed_attempts)
        last = redact_text(retold(generation.failed_attempts[-1].message))[:_LONGEST_REASON]
        return gettext("Attempt %(number)s; before: %(message)s") % {"number": count + 1, "message": last}
    return gettext("all slots in use") if turn is not None else ""
