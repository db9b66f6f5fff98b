import io
import sys
from datetime import UTC, datetime

import msgspec
import pytest

from flow2api.cli.output import print_json, print_table, progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_json_has_instants_in_utc_and_null_for_what_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"at": datetime(2026, 1, 2, tzinfo=UTC), "until": None, "tags": ("a",), "name": "東京"})

    written = capsys.readouterr().out
    assert msgspec.json.decode(written) == {"at": "2026-01-02T00:00:00Z", "until": None, "tags": ["a"], "name": "東京"}
    assert written.startswith('{\n  "at"')


def test_table_is_cut_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    print_table(("NAME",), [("x" * 40,)], empty="")
    assert "x" * 40 in capsys.readouterr().out

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    print_table(("NAME",), [("x" * 40,)], empty="")

    assert terminal.getvalue().splitlines()[1] == "x" * 19 + "…"


def test_progress_is_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    with progress("Stored", 2000) as show:
        show(1000)
        show(2000)

    assert terminal.getvalue() == "\rStored 1,000 of 2,000\rStored 2,000 of 2,000\n"


def test_progress_is_silent_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("Stored", 2) as show:
        show(2)

    assert capsys.readouterr() == ("", "")
