"""The doctor of a running server."""

from pathlib import Path
from typing import Any

import pytest

from flow2api.adapters.system.loop_lag import LoopLag
from flow2api.app.backends import Backends, build_backends, build_vault
from flow2api.app.current_options import build_options
from flow2api.app.diagnosing import ServerDoctor
from flow2api.domain.ports.storage import CountsDropped
from flow2api.domain.usecases.diagnose import CheckState, Diagnosis
from flow2api.domain.usecases.keep_diagnosis import Examined
from flow2api.extensions import load_extensions
from flow2api.settings import Settings
from flow2api.testing.fakes.clock import FakeClock


class Broken:
    """A plugin that cannot be loaded."""

    register_nothing = 3


class Ward:
    """A server on a new folder, as the doctor finds it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.settings = Settings(data_dir=folder / "data", **settings)
        self.clock, self.lag = FakeClock(), LoopLag()
        self.extensions = load_extensions(extra={"broken": Broken()})
        vault = build_vault(self.settings)
        self.backends: Backends = build_backends(self.settings, self.extensions, vault, self.clock)
        options = build_options(self.settings, self.extensions, self.backends, self.clock)
        self.doctor = ServerDoctor(self.settings, self.extensions, self.backends, options, self.lag, self.clock)

    async def look(self) -> Examined:
        await self.backends.storage.open()
        try:
            return await self.doctor.keep()()
        finally:
            await self.backends.storage.aclose()
            await self.backends.store.aclose()
            for upstream in self.backends.upstreams.values():
                await upstream.aclose()


def named(found: Examined, name: str) -> Diagnosis:
    return next(one for one in found.diagnoses if one.name == name)


async def test_checks_of_the_command_line_run_over_what_is_open(tmp_path: Path) -> None:
    found = await Ward(tmp_path).look()
    names = {one.name for one in found.diagnoses}
    assert {"plugins", "request log", "database writes", "media store", "API keys", "accounts"} <= names
    assert found.count(CheckState.FAIL) == 0
    assert "event loop" not in names  # nothing was measured yet


async def test_a_plugin_that_was_left_out_is_told(tmp_path: Path) -> None:
    found = named(await Ward(tmp_path).look(), "plugin broken")
    assert found.finding.state is CheckState.WARN
    assert "It registers nothing." in found.finding.sentence


async def test_passphrases_over_plain_http_are_told_as_on_the_command_line(tmp_path: Path) -> None:
    found = await Ward(tmp_path, console_plain_http=True).look()
    assert named(found, "console").finding.state is CheckState.WARN


@pytest.mark.parametrize(("late_s", "state"), [(0.004, CheckState.OK), (0.5, CheckState.WARN)])
async def test_a_late_event_loop_is_told(tmp_path: Path, late_s: float, state: CheckState) -> None:
    ward = Ward(tmp_path)
    ward.lag.note(late_s)
    finding = named(await ward.look(), "event loop").finding
    assert finding.state is state
    assert f"{late_s * 1000:.0f} ms" in finding.sentence


async def test_lines_that_were_lost_are_told(tmp_path: Path) -> None:
    ward = Ward(tmp_path)
    journal: Any = ward.backends.storage.journal
    assert isinstance(journal, CountsDropped)
    assert ward.doctor.dropped() == 0
    journal.dropped = 7
    assert ward.doctor.dropped() == 7
    finding = named(await ward.look(), "request log").finding
    assert finding.state is CheckState.WARN
    assert "7 lines" in finding.sentence
