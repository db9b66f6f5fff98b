"""How the server and its pool are looked at and looked after as a whole."""

from dataclasses import dataclass
from typing import Final

from flow2api.adapters.system.backups import BackupFolder
from flow2api.adapters.system.loop_lag import LoopLag
from flow2api.app.basis import Basis
from flow2api.app.diagnosing import ServerDoctor
from flow2api.app.operating import Operating
from flow2api.app.panels import build_panels
from flow2api.domain.usecases.back_up_database import BackUpDatabase
from flow2api.domain.usecases.drain_server import DrainServer
from flow2api.domain.usecases.foresee_ends import ForeseeEnds
from flow2api.domain.usecases.glance_at_pool import GlanceAtPool
from flow2api.domain.usecases.keep_diagnosis import KeepDiagnosis
from flow2api.domain.usecases.show_panels import ShowPanels

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


def build_overseeing(basis: Basis, operating: Operating) -> Overseeing:
    """All of them."""
    settings, recording, clock = basis.settings, basis.recording, basis.clock
    glance = GlanceAtPool(
        operating.browse,
        operating.checks,
        recording.spans,
        operating.credits,
        operating.generations,
        basis.tending.guard.statuses,
        basis.proxying.choose.all,
        clock,
    )
    foresee_ends = ForeseeEnds(operating.generations, recording.spans, clock)
    basis.work.subscribe_to_ends(foresee_ends.ended)
    lag = LoopLag()
    doctor = ServerDoctor(settings, basis.extensions, basis.backends, basis.options, lag, clock)
    return Overseeing(
        glance=glance,
        drain=DrainServer(basis.work, basis.storage.audit_log, clock),
        backups=BackUpDatabase(basis.storage, BackupFolder(settings.data_dir / BACKUPS), clock),
        doctor=doctor,
        diagnosis=doctor.keep(),
        lag=lag,
        panels=ShowPanels(build_panels(settings, basis.extensions), glance, clock),
        foresee_ends=foresee_ends,
    )
