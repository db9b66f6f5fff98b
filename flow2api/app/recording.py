"""What is written down of requests, and how it is read: request log, figures, debug log."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from flow2api.adapters.openai_api.errors import status_of
from flow2api.adapters.system.debug_log import DebugLog
from flow2api.adapters.system.time_zone import machine_zone
from flow2api.domain.media import MediaKind
from flow2api.domain.options import Options
from flow2api.domain.ports.storage import Journal, Storage
from flow2api.domain.ports.system import Clock
from flow2api.domain.time_zone import zone_named
from flow2api.domain.usecases.count_requests import CountRequests
from flow2api.domain.usecases.forget_records import ForgetRecords
from flow2api.domain.usecases.note_requests import NoteRequests
from flow2api.domain.usecases.read_request_log import ReadRequestLog
from flow2api.domain.usecases.read_spans import ReadSpans
from flow2api.domain.usecases.read_statistics import ReadStatistics
from flow2api.settings import Settings

DEBUG_LOG = "debug.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Everything about records.

    Attributes:
        zone: The time zone whose days are counted, as the options stand now.
    """

    notes: NoteRequests
    log: ReadRequestLog
    statistics: ReadStatistics
    spans: ReadSpans
    counts: CountRequests
    forget: ForgetRecords
    debug_log: DebugLog
    zone: Callable[[], tzinfo]

    def follow_options(self, options: Options) -> None:
        """Switch what the options switch."""
        self.debug_log.switch(on=options.debug_log, prompts=options.log_prompts)


def build_recording(
    settings: Settings,
    storage: Storage,
    journal: Journal,
    options: Callable[[], Options],
    clock: Clock,
    kind_of: Callable[[str], MediaKind | None] = lambda model: None,
) -> Recording:
    """The use cases over this storage.

    Args:
        journal: What takes in entries, the storage's own or one in front of it.
        kind_of: What a model makes; None where that is not known.
    """

    def zone() -> tzinfo:
        name = options().time_zone
        return zone_named(name) if name else machine_zone()

    statistics = ReadStatistics(storage.statistics, clock, zone)
    return Recording(
        notes=NoteRequests(journal, options, clock, status_of),
        log=ReadRequestLog(storage.request_log, clock),
        statistics=statistics,
        counts=CountRequests(storage.request_log, storage.statistics, clock),
        spans=ReadSpans(storage.statistics, statistics, clock, kind_of),
        forget=ForgetRecords(storage.request_log, storage.statistics, clock, options, zone),
        debug_log=DebugLog(settings.data_dir / DEBUG_LOG),
        zone=zone,
    )
