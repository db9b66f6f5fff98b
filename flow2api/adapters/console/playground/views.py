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


@dataclass(frozen=True, slots=True)
class Source:
    """The video that the form goes on with."""

    id: str
    prompt: str
    preview: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Playground:
    """The page.

    Attributes:
        pictures: Those that were chosen, in their order.
        run: The run that is shown; None when the page was opened without one.
        earlier: The operator's other runs, newest first.
        samples: This request for programs.
        most_bytes: The largest picture that is taken.
    """

    groups: tuple[ModelGroup, ...]
    model: ChosenModel
    pictures: tuple[Shown, ...]
    source: Source | None
    run: Run | None
    earlier: tuple[Run, ...]
    samples: tuple[Sample, ...]
    most_bytes: int


@dataclass(frozen=True, slots=True)
class RunNews:
    """What is kept true of the page."""

    run: Run | None
