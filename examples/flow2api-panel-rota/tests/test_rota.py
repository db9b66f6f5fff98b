"""A rota becomes a panel."""

from datetime import timedelta
from pathlib import Path

import pytest
from flow2api_rota import RotaPanel, build, register_console_panels, register_settings

from flow2api.domain.errors import PluginError
from flow2api.domain.panels import PanelPlace, PanelSubject, PanelTone
from flow2api.domain.ports.panels import Panel
from flow2api.testing.contracts import PanelContract
from flow2api.testing.fakes.clock import START


def rota(folder: Path, *lines: str) -> Path:
    file = folder / "rota.csv"
    file.write_text("\n".join(["from,until,who,reach", *lines]), "utf-8")
    return file


def shift(after_days: int, who: str) -> str:
    begins = START + timedelta(days=after_days)
    return f"{begins.isoformat()},{(begins + timedelta(days=7)).isoformat()},{who},{who}@example.org"


class TestRotaPanel(PanelContract):
    @pytest.fixture
    def panel(self, tmp_path: Path) -> Panel:
        return RotaPanel(rota(tmp_path, shift(-1, "Ada"), shift(6, "<b>Grace</b>")))


class TestPanelWithoutFile(PanelContract):
    @pytest.fixture
    def panel(self) -> Panel:
        return build({})


async def test_who_is_on_call_and_who_comes_next(tmp_path: Path) -> None:
    panel = build({"file": str(rota(tmp_path, shift(6, "Grace"), shift(-1, "Ada")))})

    view = await panel.view(PanelSubject(now=START))

    assert view is not None
    assert (view.text, view.tone) == ("Ada is on call: Ada@example.org", PanelTone.FINE)
    assert view.table is not None
    assert [row[1] for row in view.table.rows] == ["Grace"]


async def test_nobody_is_a_warning(tmp_path: Path) -> None:
    view = await RotaPanel(rota(tmp_path)).view(PanelSubject(now=START))

    assert view is not None
    assert (view.tone, view.table) == (PanelTone.WARNING, None)


async def test_nothing_is_shown_without_a_file() -> None:
    assert await build({}).view(PanelSubject(now=START)) is None


async def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="cannot be read"):
        await RotaPanel(tmp_path / "gone.csv").view(PanelSubject(now=START))
    with pytest.raises(PluginError, match="from, until, who and reach"):
        await RotaPanel(rota(tmp_path, "tomorrow,never,Ada,x")).view(PanelSubject(now=START))


def test_is_registered_by_its_name_on_the_overview() -> None:
    (panel,) = register_console_panels()
    (section,) = register_settings()

    assert (panel.name, panel.place, panel.build) == ("rota", PanelPlace.OVERVIEW, build)
    assert section.name == panel.name
