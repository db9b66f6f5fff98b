"""What the page shows."""

from dataclasses import dataclass

from flow2api.adapters.console.code_samples import Sample
from flow2api.adapters.console.playground.models import ChosenModel, ModelGroup
from flow2api.adapters.console.playground.runs import Run


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture in the form."""

    id: str
    preview: str
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A picture or a video that can be built on; ``id`` is that of the media."""

    id: str
    prompt: str
    preview: str
    is_chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Playground:
    """The page.

    Attributes:
        pictures: Those that were chosen, in their order.
        recent: Pictures that were made of late and could be chosen, too.
        sources: What the model can build on, the chosen one first.
        run: The run that is shown; None when the page was opened without one.
        earlier: The operator's other runs, newest first.
        samples: This request for programs.
        most_bytes: The largest picture that is taken.
    """

    groups: tuple[ModelGroup, ...]
    model: ChosenModel
    pictures: tuple[Shown, ...]
    recent: tuple[Shown, ...]
    sources: tuple[Source, ...]
    run: Run | None
    earlier: tuple[Run, ...]
    samples: tuple[Sample, ...]
    most_bytes: int


@dataclass(frozen=True, slots=True)
class RunNews:
    """What is kept true of the page."""

    run: Run | None
