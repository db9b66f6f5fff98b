import io
import sys
from pathlib import Path

import click
import pytest

from flow2api.cli.failures import Failure
from flow2api.cli.inputs import confirm, read_bytes, read_passphrase, read_secret


def from_stdin(monkeypatch: pytest.MonkeyPatch, data: bytes, *, is_terminal: bool = False) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(data))
    stdin.isatty = lambda: is_terminal  # type: ignore[method-assign]
    monkeypatch.setattr(sys, "stdin", stdin)


def test_reads_no_more_than_it_may(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 2048)

    assert read_bytes(str(tmp_path / "file"), 2048, "The file") == b"x" * 2048
    with pytest.raises(Failure, match="The file is larger than 1 KiB; split it"):
        read_bytes(str(tmp_path / "file"), 2047, "The file")


def test_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    from_stdin(monkeypatch, b" text \n")

    assert read_secret("-", "The file") == "text"


def test_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot be read: Is a directory"):
        read_bytes(str(tmp_path), 10, "The file")


def test_new_passphrase_is_asked_for_twice_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    from_stdin(monkeypatch, b"", is_terminal=True)
    asked: list[object] = []

    def prompt(text: str, *, hide_input: bool, confirmation_prompt: bool, err: bool) -> str:
        asked.append((text, hide_input, confirmation_prompt, err))
        return "correct horse battery"

    monkeypatch.setattr(click, "prompt", prompt)

    assert read_passphrase(None, is_new=True).reveal() == "correct horse battery"
    assert read_passphrase(None, is_new=False).reveal() == "correct horse battery"
    assert asked == [("Passphrase", True, True, True), ("Passphrase", True, False, True)]


def test_old_passphrase_may_be_short(monkeypatch: pytest.MonkeyPatch) -> None:
    from_stdin(monkeypatch, b"short")

    assert read_passphrase("-", is_new=False).reveal() == "short"


@pytest.mark.parametrize(("answer", "is_refused"), [(b"y\n", False), (b"n\n", True), (b"\n", True)])
def test_terminal_is_asked_to_confirm(monkeypatch: pytest.MonkeyPatch, answer: bytes, is_refused: bool) -> None:
    from_stdin(monkeypatch, answer, is_terminal=True)

    if is_refused:
        with pytest.raises(click.Abort):
            confirm("Sure?", is_sure=False)
    else:
        confirm("Sure?", is_sure=False)


def test_nobody_is_asked_who_is_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    from_stdin(monkeypatch, b"", is_terminal=True)

    confirm("Sure?", is_sure=True)
