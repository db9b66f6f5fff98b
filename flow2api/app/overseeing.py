"""How the server and its pool are looked at and looked after as a whole."""

from dataclasses import dataclass
from typing import Final

from flow2api.adapters.system.backups import BackupFolder
from flow2api.adapters.system.loop_lag import LoopLag
from flow2api.app.backends import Backends
from flow2api.app.current_options import CurrentOptions
from flow2api.app.diagnosing import ServerDoctor
from flow2api.app.generating import Tending
from flow2api.app.operating import Operating
from flow2api.app.panels import build_panels
from flow2api.app.proxying import Proxying
from flow2api.app.recording import Recording
from flow2api.domain.ports.system import Clock
from flow2api.domain.usecases.back_up_database import BackUpDatabase
from flow2api.domain.usecases.drain_server import DrainServer
from flow2api.domain.usecases.foresee_ends import ForeseeEnds
from flow2api.domain.usecases.glance_at_pool import GlanceAtPool
from flow2api.domain.usecases.keep_diagnosis import KeepDiagnosis
from flow2api.domain.usecases.show_panels import ShowPanels
from flow2api.domain.usecases.work import Work
from flow2api.extensions import Extensions
from flow2api.settings import Settings

BACKUPS: Final = "backups"
"""The folder of copies, in the data folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overseeing:
    """The use cases of who has an eye on the whole."""

    glance: GlanceAtPool
    drain: DrainServer
    backups: BackUpDatabase
    doctor: ServerDoctor
    diagnosis: KeepDiagnosis
    lag: LoopLag
    panels: ShowPanels
    foresee_ends: ForeseeEnds


def build_overseeing(
    settings: Settings,
    extensions: Extensions,
    backends: Backends,
    options: CurrentOptions,
    tending: Tending,
    proxying: Proxying,
    recording: Recording,
    operating: Operating,
    work: Work,
    clock: Clock,
) -> Overseeing:
    """All of them."""
    glance = GlanceAtPool(
        operating.browse,
        operating.checks,
        recording.spans,
        operating.credits,
        operating.generations,
        tending.guard.statuses,
        proxying.choose.all,
        clock,
    )
    foresee_ends = ForeseeEnds(operating.generations, recording.spans, clock)
    work.subscribe_to_ends(foresee_ends.ended)
    lag = LoopLag()
    doctor = ServerDoctor(settings, extensions, backends, options, lag, clock)
    return Overseeing(
        glance=glance,
        drain=DrainServer(work, backends.storage.audit_log, clock),
        backups=BackUpDatabase(backends.storage, BackupFolder(settings.data_dir / BACKUPS), clock),
        doctor=doctor,
        diagnosis=doctor.keep(),
        lag=lag,
        panels=ShowPanels(build_panels(settings, extensions), glance, clock),
        foresee_ends=foresee_ends,
    )
