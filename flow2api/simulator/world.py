"""Everything that the simulator knows and keeps, in one place that a reset makes anew."""

import copy
from dataclasses import dataclass, field

from flow2api.simulator.accounts import AccountBook
from flow2api.simulator.catalog import ModelKey, load_model_keys
from flow2api.simulator.clock import SimClock
from flow2api.simulator.control_schema import AccountCounters, Era, SimOptions
from flow2api.simulator.faults import FaultScript
from flow2api.simulator.jobs import JobBoard
from flow2api.simulator.media import Library, MediaLinks
from flow2api.simulator.record import RequestRecord
from flow2api.simulator.rendering import Renderer


@dataclass(slots=True)
class World:
    """The state of a simulator. ``first_options`` are what a reset goes back to."""

    first_options: SimOptions = field(default_factory=SimOptions)
    options: SimOptions = field(init=False)
    clock: SimClock = field(default_factory=SimClock)
    book: AccountBook = field(default_factory=AccountBook)
    kept: Library = field(default_factory=Library)
    jobs: JobBoard = field(default_factory=JobBoard)
    faults: FaultScript = field(default_factory=FaultScript)
    record: RequestRecord = field(default_factory=RequestRecord)
    links: MediaLinks = field(default_factory=MediaLinks)
    renderer: Renderer = field(default_factory=Renderer)
    model_keys: dict[Era, dict[str, ModelKey]] = field(default_factory=load_model_keys)

    def __post_init__(self) -> None:
        self.options = copy.copy(self.first_options)

    def reset(self, *, keep_accounts: bool) -> None:
        """Forgets what happened; accounts, their credentials and projects may stay."""
        self.options = copy.copy(self.first_options)
        self.clock.reset()
        self.kept, self.jobs = Library(), JobBoard()
        self.faults.clear()
        self.faults, self.record = FaultScript(), RequestRecord()
        if not keep_accounts:
            self.book = AccountBook()
        for account in self.book.accounts.values():
            account.running, account.usage = {}, {}
            account.counters = AccountCounters()
