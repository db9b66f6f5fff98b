"""States, phases and reasons in words."""

from dataclasses import dataclass

from flow2api.adapters.console.language import gettext
from flow2api.domain.errors import UpstreamStateUnknownError
from flow2api.domain.generation import Generation, InputRole, Phase, Stage, State
from flow2api.domain.media import MediaKind


@dataclass(frozen=True, slots=True)
class StateWords:
    """A state: its colour, its symbol, its word."""

    kind: str
    symbol: str
    words: str


def is_retrying(generation: Generation) -> bool:
    """Whether an account has failed at it, and it goes on."""
    return bool(generation.failed_attempts) and not generation.state.is_final


def is_unknown(generation: Generation) -> bool:
    """Whether nobody knows if the service has carried it out."""
    return generation.fault is not None and generation.fault.code == UpstreamStateUnknownError.code


def state_name(generation: Generation) -> str:
    """The state as the address of a page names it."""
    if is_retrying(generation):
        return "retrying"
    return "unknown" if is_unknown(generation) else generation.state.value


def state_words(name: str) -> StateWords:
    """A state by its name in addresses; the empty one stands for all that is under way."""
    return {
        "": StateWords("", "list", gettext("Under way")),
        State.QUEUED: StateWords("", "clock", gettext("Queued")),
        State.RUNNING: StateWords("run", "loader", gettext("Running")),
        "retrying": StateWords("warn", "rotate-ccw", gettext("Retrying")),
        State.COMPLETED: StateWords("ok", "check", gettext("Done")),
        State.FAILED: StateWords("err", "x", gettext("Failed")),
        State.CANCELLED: StateWords("", "ban", gettext("Cancelled")),
        "unknown": StateWords("warn", "circle-help", gettext("Outcome unknown")),
    }[name]


def phase_words(phase: Phase | None, stage: Stage = Stage.MAKE) -> str:
    """What is done in a phase."""
    if phase is Phase.POLLING and stage is Stage.ENLARGE:
        return gettext("Enlarging")
    return {
        None: gettext("Waiting for an account"),
        Phase.LEASING: gettext("Finding another account"),
        Phase.AUTHENTICATING: gettext("Signing in"),
        Phase.UPLOADING: gettext("Sending inputs"),
        Phase.SUBMITTING: gettext("Making"),
        Phase.POLLING: gettext("Generating"),
        Phase.STORING: gettext("Fetching and keeping"),
    }[phase]


def input_words(role: InputRole, kind: MediaKind | None) -> str:
    """What an input is for.

    Args:
        kind: What the input is; None when it is not kept any more.
    """
    match role:
        case InputRole.REFERENCE:
            return gettext("Reference picture")
        case InputRole.START:
            return gettext("First frame")
        case InputRole.END:
            return gettext("Last frame")
        case InputRole.BASE:
            return gettext("Picture that is edited")
        case InputRole.MASK:
            return gettext("Where it may be changed")
        case InputRole.SOURCE:
            return gettext("Picture that is enlarged") if kind is MediaKind.IMAGE else gettext("Video that is built on")
