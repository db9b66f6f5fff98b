"""Picks the answer shapes of a wire era."""

from collections.abc import Sequence
from typing import Any, Protocol

from flow2api.simulator import wire_later, wire_seed
from flow2api.simulator.control_schema import Era
from flow2api.simulator.jobs import Job, State
from flow2api.simulator.media import MediaItem


class Wire(Protocol):
    """The answers whose shape differs between eras."""

    def pictures(self, results: Sequence[tuple[MediaItem, str]], project: str, batch: str) -> dict[str, Any]:
        """The answer to a picture call, from each result and its link."""

    def submitted(self, jobs: Sequence[Job], credits_left: int) -> dict[str, Any]:
        """The answer to a video submit."""

    def polled(self, entries: Sequence[Any], credits_left: int) -> dict[str, Any]:
        """The answer to a video poll, from its encoded entries."""

    def entry_of(self, job: Job, state: State, url: str) -> dict[str, Any]:
        """One entry of a video poll."""


WIRES: dict[Era, Wire] = {"seed": wire_seed, "2026-06": wire_later}
