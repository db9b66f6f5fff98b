import shutil
from pathlib import Path

import pytest

from flow2api.domain.usecases.diagnose import CheckState
from flow2api.plugins.doctor_checks.surroundings import (
    look_at_folder,
    look_at_key,
    look_at_open_files,
    look_at_public_url,
    media_folder,
)

OK, WARN, FAIL = CheckState.OK, CheckState.WARN, CheckState.FAIL


def test_folder_of_ours_is_fine(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    assert look_at_folder(tmp_path, "The folder").state is OK


def test_folder_that_can_be_made_is_fine(tmp_path: Path) -> None:
    finding = look_at_folder(tmp_path / "a" / "b", "The folder")

    assert (finding.state, finding.sentence) == (
        OK,
        f"The folder {tmp_path / 'a' / 'b'} is not there yet, and can be made.",
    )


def test_folder_that_is_open_to_others_is_warned_of(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    finding = look_at_folder(tmp_path, "The folder")

    assert (finding.state, finding.cure) == (WARN, f"chmod 700 {tmp_path}")


def test_file_in_the_place_of_the_folder_fails(tmp_path: Path) -> None:
    (tmp_path / "data").touch()

    assert look_at_folder(tmp_path / "data", "The folder").state is FAIL
    assert look_at_folder(tmp_path / "data" / "media", "The folder").state is FAIL


def test_folder_that_cannot_be_written_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: False)

    assert look_at_folder(tmp_path, "The folder").state is FAIL


@pytest.mark.parametrize(("free", "state"), [(10 * 1024**3, OK), (500 * 1024**2, WARN), (1024**2, FAIL)])
def test_full_disk_is_told_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: CheckState
) -> None:
    tmp_path.chmod(0o700)
    usage = shutil._ntuple_diskusage(total=free, used=0, free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)

    assert look_at_folder(tmp_path, "The folder").state is state


@pytest.mark.parametrize(
    ("url", "folder"),
    [("file:data/media", Path("data/media")), ("file:///srv/my%20media", Path("/srv/my media")), ("s3://bucket", None)],
)
def test_media_folder_is_known_for_stores_on_this_disk(url: str, folder: Path | None) -> None:
    assert media_folder(url) == folder


def test_key_file_of_ours_is_fine(tmp_path: Path) -> None:
    (tmp_path / "secret.key").touch(0o600)

    assert look_at_key(tmp_path, None, is_set=False).state is OK


def test_key_file_that_others_can_read_fails(tmp_path: Path) -> None:
    (tmp_path / "secret.key").touch()
    (tmp_path / "secret.key").chmod(0o640)

    finding = look_at_key(tmp_path, None, is_set=False)

    assert (finding.state, finding.cure) == (FAIL, f"chmod 600 {tmp_path / 'secret.key'}")


def test_key_that_is_not_made_yet_is_fine(tmp_path: Path) -> None:
    assert look_at_key(tmp_path, None, is_set=False).state is OK


def test_named_key_file_that_is_missing_fails(tmp_path: Path) -> None:
    assert look_at_key(tmp_path, tmp_path / "key", is_set=False).state is FAIL
    (tmp_path / "file").touch()
    assert look_at_key(tmp_path, tmp_path / "file" / "key", is_set=False).state is FAIL


def test_key_and_key_file_exclude_each_other() -> None:
    assert look_at_key(Path(), None, is_set=True).state is OK
    assert look_at_key(Path(), Path("f"), is_set=True).state is FAIL


@pytest.mark.parametrize(
    ("url", "host", "state"),
    [
        ("", "0.0.0.0", OK),
        ("https://media.example.org", "0.0.0.0", OK),
        ("https://media.example.org/flow", "127.0.0.1", OK),
        ("http://127.0.0.1:8000", "127.0.0.1", OK),
        ("http://localhost:8000", "0.0.0.0", WARN),
        ("http://[::1]:8000", "::", WARN),
        ("http://media.example.org", "0.0.0.0", WARN),
        ("media.example.org", "0.0.0.0", FAIL),
        ("ftp://media.example.org", "0.0.0.0", FAIL),
        ("https://", "0.0.0.0", FAIL),
        ("https://me:secret@example.org", "0.0.0.0", FAIL),
        ("https://example.org/?a=1", "0.0.0.0", FAIL),
        ("https://example.org:99999", "0.0.0.0", FAIL),
        ("https://[example", "0.0.0.0", FAIL),
    ],
)
def test_public_address_has_to_lead_clients_here(url: str, host: str, state: CheckState) -> None:
    finding = look_at_public_url(url, host)

    assert finding.state is state
    assert bool(finding.cure) is (state is not OK)
    assert "secret" not in finding.sentence


@pytest.mark.parametrize(
    ("limits", "state", "figure"),
    [((1024, 1_048_576), OK, "65,536"), ((1024, 4096), OK, "4,096"), ((256, 1024), WARN, "1,024")],
)
def test_open_files_are_told_and_too_few_warned_of(
    monkeypatch: pytest.MonkeyPatch, limits: tuple[int, int], state: CheckState, figure: str
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda kind: limits)

    finding = look_at_open_files()

    assert finding.state is state
    assert f" {figure} " in finding.sentence
